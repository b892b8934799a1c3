# The box image on Fedora. Context: this folder (`docker build -f docker/agent-job.Dockerfile docker`).
#
# It has not been built where it was written: that takes a machine that reaches Fedora's registry and package mirrors.
# What can be checked without (names from tools.json, every COPY source) is checked by scripts/provision/fedoraImage.test.ts;
# the same rootfs is built and tried on Debian by `npm test`.
#
# Nothing here states a version or checksum that was not read from its source. To pin, give them as build arguments:
# FEDORA by digest; a release with its version AND its checksum. A release without a version is left out, and
# /etc/spoon/left-out names it; one with a version and no checksum fails the build.

ARG FEDORA=registry.fedoraproject.org/fedora:latest

# --- What Fedora's own repositories lack, as released by its makers
FROM ${FEDORA} AS releases
ARG TARGETARCH
ARG EZA_VERSION=
ARG EZA_SHA256=
ARG GUM_VERSION=
ARG GUM_SHA256=
ARG OH_MY_POSH_VERSION=
ARG OH_MY_POSH_SHA256=
RUN dnf install -y --setopt=install_weak_deps=False curl tar gzip findutils && dnf clean all
COPY fetch-release.sh /usr/local/bin/fetch-release
RUN mkdir -p /out/usr/local/bin /out/etc/spoon \
 && fetch-release eza "$EZA_VERSION" "$EZA_SHA256" \
      "https://github.com/eza-community/eza/releases/download/v${EZA_VERSION}/eza_$(uname -m)-unknown-linux-gnu.tar.gz" \
 && fetch-release gum "$GUM_VERSION" "$GUM_SHA256" \
      "https://github.com/charmbracelet/gum/releases/download/v${GUM_VERSION}/gum_${GUM_VERSION}_Linux_$(uname -m | sed s/aarch64/arm64/).tar.gz" \
 && fetch-release oh-my-posh "$OH_MY_POSH_VERSION" "$OH_MY_POSH_SHA256" \
      "https://github.com/JanDeDobbeleer/oh-my-posh/releases/download/v${OH_MY_POSH_VERSION}/posh-linux-${TARGETARCH}"

# --- The box
FROM ${FEDORA}
ARG CODEX_VERSION=
COPY tools.json /tmp/tools.json
RUN packages=$(sed -n 's/.*"fedora": "\([^"]*\)".*/\1/p' /tmp/tools.json) \
 && dnf upgrade -y && dnf install -y --setopt=install_weak_deps=False $packages \
 && dnf clean all && rm /tmp/tools.json
COPY --from=releases /out/ /
COPY rootfs/ /
# Fedora's zsh reads /etc/profile.d only for login shells, and asks questions where a home has no .zshrc.
RUN echo '. /etc/profile.d/spoon.sh' >> /etc/zshrc \
 && echo 'zsh-newuser-install() { :; }' >> /etc/zshenv \
 && if [ -n "$CODEX_VERSION" ]; then npm install -g "@openai/codex@$CODEX_VERSION" && npm cache clean --force; \
    else echo codex >> /etc/spoon/left-out; fi \
 && find / -xdev -perm /6000 -type f -exec chmod ug-s {} +
ENV LANG=C.UTF-8
LABEL org.opencontainers.image.title="Spoon box (Fedora)" \
      org.opencontainers.image.description="What a person's terminal runs in: shells, git, an editor and the tools people expect" \
      org.opencontainers.image.licenses="MIT"
CMD ["/bin/bash", "-l"]
