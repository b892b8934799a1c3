# The box image on Fedora. Context: this folder (`docker build -f docker/agent-job.Dockerfile docker`).
#
# It has not been built where it was written: that takes a machine that reaches Fedora's registry and package mirrors, the
# npm registry and GitHub's releases. What can be checked without is checked by scripts/provision/fedoraDockerfile.test.ts;
# the same rootfs, tools.json and npm/ are built and tried on Debian by `npm test`.
#
# Nothing here states a version or checksum that was not read from its source. `node scripts/pinFedora.ts` reads them on a
# machine with a network and writes docker/pins.env, one build argument a line; an argument that is empty fails the build.

ARG FEDORA
# --- What neither Fedora's repositories nor npm have, as released by its makers
FROM ${FEDORA} AS releases
ARG TARGETARCH
ARG GUM_VERSION
ARG GUM_SHA256_AMD64
ARG GUM_SHA256_ARM64
ARG OH_MY_POSH_VERSION
ARG OH_MY_POSH_SHA256_AMD64
ARG OH_MY_POSH_SHA256_ARM64
RUN dnf install -y --setopt=install_weak_deps=False curl findutils gzip tar && dnf clean all
COPY fetch-release.sh /usr/local/bin/fetch-release
RUN case "$TARGETARCH" in \
      amd64) machine=x86_64 gum=$GUM_SHA256_AMD64 posh=$OH_MY_POSH_SHA256_AMD64 ;; \
      arm64) machine=arm64 gum=$GUM_SHA256_ARM64 posh=$OH_MY_POSH_SHA256_ARM64 ;; \
      *) echo "for amd64 and arm64, not ${TARGETARCH:-a builder without TARGETARCH (BuildKit has it)}" >&2; exit 1 ;; \
    esac \
 && fetch-release gum "$GUM_VERSION" "$gum" \
      "https://github.com/charmbracelet/gum/releases/download/v${GUM_VERSION}/gum_${GUM_VERSION}_Linux_${machine}.tar.gz" \
 && fetch-release oh-my-posh "$OH_MY_POSH_VERSION" "$posh" \
      "https://github.com/JanDeDobbeleer/oh-my-posh/releases/download/v${OH_MY_POSH_VERSION}/posh-linux-${TARGETARCH}"

# --- What comes from npm, at the versions and with the checksums of npm/package-lock.json
FROM ${FEDORA} AS programs
RUN dnf install -y --setopt=install_weak_deps=False /usr/bin/npm && dnf clean all
COPY npm/ /out/usr/local/lib/spoon/
WORKDIR /out/usr/local/lib/spoon
RUN npm ci --ignore-scripts --no-audit --no-fund --omit=dev \
 && mkdir -p /out/usr/local/bin \
 && sh link-programs.sh /out

# --- The box
FROM ${FEDORA}
COPY tools.json /tmp/tools.json
# Fedora's container images leave manuals out (tsflags=nodocs); people look into them. What was there before ours comes anew.
# Before 2.50.1 a hostile repository could make git write where it likes (CVE-2025-48384).
RUN packages=$(sed -n 's/.*"fedora": "\([^"]*\)".*/\1/p' /tmp/tools.json) \
 && dnf upgrade -y --setopt=tsflags= \
 && present=$(rpm -q --qf '%{NAME}\n' $packages | grep -v ' ' || true) \
 && if [ -n "$present" ]; then dnf reinstall -y --setopt=tsflags= $present; fi \
 && dnf install -y --setopt=install_weak_deps=False --setopt=tsflags= $packages \
 && dnf clean all \
 && rm /tmp/tools.json \
 && printf '2.50.1\n%s\n' "$(git --version | cut -d ' ' -f 3)" | sort --version-sort --check
COPY --from=releases /out/ /
COPY --from=programs /out/ /
COPY rootfs/ /
# What zoxide would print at each start of a shell is kept. Fedora's zsh reads /etc/profile.d only for login shells, and asks questions where a home has no .zshrc; spoon.sh reads
# bash-completion at the first Tab. A box cannot gain rights (no-new-privileges): what would try is left without the bit.
RUN for shell in bash zsh fish; do zoxide init "$shell" > "/etc/spoon/shell/zoxide.$shell" || exit 1; done \
 && echo '. /etc/profile.d/spoon.sh' >> /etc/zshrc \
 && echo 'zsh-newuser-install() { :; }' >> /etc/zshenv \
 && rm -f /etc/profile.d/bash_completion.sh \
 && find / -xdev -perm /6000 -type f -exec chmod ug-s {} + \
 && test -z "$(find / -xdev -perm /6000 -type f)"
ENV LANG=C.UTF-8
LABEL org.opencontainers.image.title="Spoon box (Fedora)" \
      org.opencontainers.image.description="Shells, git, an editor and the tools people expect in a terminal" \
      org.opencontainers.image.licenses="MIT"
CMD ["/bin/bash", "-l"]
