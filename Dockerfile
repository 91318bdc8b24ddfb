# The gateway's image, in two stages: one installs, the other runs and holds nothing but what is needed for it.
#
#   docker build -t tidegate .
#
# The base is named by the digest of its index, which is one for amd64 and arm64; a rebuild that is to take the
# base's fixes in names a newer one. Any image of the Debian family with Python 3.11 or newer and pip will do.
ARG BASE=python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${BASE} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# What the gateway needs, with all that a policy may ask for (PostgreSQL, buckets, traces), and what builds it, each by the
# hashes of a lock: nothing is taken that was not looked at.
COPY .ci/image.lock .ci/build.lock ./
RUN python3 -m venv --without-pip /opt/tidegate \
 && python3 -m venv --without-pip /opt/build \
 && python3 -m pip --python /opt/tidegate/bin/python install --require-hashes --only-binary :all: -r image.lock \
 && python3 -m pip --python /opt/build/bin/python install --require-hashes --only-binary :all: -r build.lock

# The gateway itself, from the same wheel everybody else gets. Everything is compiled here: where it runs nothing can be
# written, and each start would do it again.
COPY pyproject.toml README.md CHANGELOG.md LICENSE config.example.yaml ./
COPY gateway gateway
COPY providers.d providers.d
RUN /opt/build/bin/python -m hatchling build -t wheel \
 && python3 -m pip --python /opt/tidegate/bin/python install --no-deps --no-index dist/*.whl \
 && python3 -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/tidegate/lib

# A container's address is reached from outside or not at all. Whoever mounts a policy of their own over this one says
# `listen` in it. The variables are the gateway's to fill in, not the shell's.
# hadolint ignore=SC2016
RUN mkdir /etc/tidegate \
 && printf '%s\n' \
    '# The policy of the image. A file or folder of your own, mounted here, takes its place.' \
    'listen: ${TIDEGATE_LISTEN:-0.0.0.0:8080}' \
    'public_url: ${TIDEGATE_PUBLIC_URL:-}' \
    'auth: ${TIDEGATE_AUTH:-keys}' \
    'metrics: ${TIDEGATE_METRICS:-keys}' \
    'store: ${TIDEGATE_STORE:-sqlite:///data/tidegate.db}' \
    'secret: ${TIDEGATE_SECRET:-}' \
    'outputs: {store: "${TIDEGATE_OUTPUTS:-file:///data/outputs}"}' \
    > /etc/tidegate/config.yaml

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tidegate" \
      org.opencontainers.image.description="Self-hosted execution gateway for generative media" \
      org.opencontainers.image.source="https://github.com/tidegate/tidegate" \
      org.opencontainers.image.documentation="https://github.com/tidegate/tidegate/blob/main/README.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# Nothing here installs software or becomes another user. All that is written lies under /data, also where a policy leaves it
# to the defaults.
RUN mkdir -m 0700 /data \
 && chown 65532:65532 /data \
 && ln -s /data /var/lib/tidegate \
 && rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY --from=build /opt/tidegate /opt/tidegate
COPY --from=build /etc/tidegate /etc/tidegate

# The working directory is no place for modules, and modules are no files to write.
ENV PATH=/opt/tidegate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONNOUSERSITE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1

USER 65532:65532
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["tidegate", "healthcheck"]
ENTRYPOINT ["tidegate"]
CMD ["serve"]
