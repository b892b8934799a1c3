# The service as a container of its own, which starts boxes beside itself (docker/compose.yaml). Context: the repository
# (`docker build -f docker/service.Dockerfile .`).
#
# Its first stage has not been built where it was written: that takes Fedora's registry and the npm registry. The second is
# built on Debian and run by test/end-to-end/serviceInContainer.test.ts.
#
# Nothing here states a digest that was not read from its source: `node scripts/pinFedora.ts` writes docker/pins.env, and
# without FEDORA from there the build fails. Packages from npm are those of package-lock.json, with its checksums.

ARG FEDORA
# --- Service, boxd and spoonctl, as bundles, and the Node they run on
FROM ${FEDORA} AS build
RUN dnf install -y --setopt=install_weak_deps=False /usr/bin/node /usr/bin/npm && dnf clean all
WORKDIR /src
COPY . .
RUN node scripts/bootstrap.mjs scripts/packService.ts

# --- The service
FROM ${FEDORA}
# iptables: boxes are kept off this machine's network by its rules (docs/network.md). Nothing here may gain rights.
RUN dnf upgrade -y \
 && dnf install -y --setopt=install_weak_deps=False ca-certificates iptables-nft libstdc++ \
 && dnf clean all \
 && find / -xdev -perm /6000 -type f -exec chmod ug-s {} +
COPY --from=build /src/dist/service/dist/boxd /usr/local/lib/spoon/dist/boxd
COPY --from=build /src/dist/service/dist/spoonctl.mjs /usr/local/lib/spoon/dist/spoonctl.mjs
COPY --from=build /src/dist/service/bin /usr/local/lib/spoon/bin
COPY --from=build /src/dist/service/service /usr/local/lib/spoon/service
COPY --from=build /src/dist/service/package.json /src/dist/service/LICENSE /usr/local/lib/spoon/
ENV NODE_ENV=production \
    LANG=C.UTF-8 \
    PATH=/usr/local/lib/spoon/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL org.opencontainers.image.title="Spoon service" \
      org.opencontainers.image.description="Encrypted dotfiles, and one persistent home in one box per person" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
# No USER: a service for several people gives each home to its owner, which takes root; compose.yaml leaves it four
# capabilities. One for a single person runs as that person: compose.single-user.yaml.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["spoon-healthy"]
ENTRYPOINT ["spoon-service"]
