# Nightcast in a container: docker build -t nightcast .
# To fix the bases to one state, give them with a digest: --build-arg RUN_BASE=debian:bookworm-slim@sha256:...
ARG BUILD_BASE=rust:1.95-bookworm
ARG RUN_BASE=debian:bookworm-slim

FROM ${BUILD_BASE} AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock channels.example.toml ./
COPY src src
COPY web web
COPY grafana/dashboards grafana/dashboards
# Line tables help those who work on it; here they are half of the size.
RUN cargo build --release --locked --bin nightcast \
    && strip --strip-debug target/release/nightcast

FROM ${RUN_BASE}
# The versions are Debian's to choose: its repairs of ffmpeg are wanted. The font is for cards and demo films.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ffmpeg fonts-dejavu-core fonts-dejavu-extra \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /var/lib/nightcast --shell /usr/sbin/nologin nightcast \
    && install -d -o nightcast -g nightcast -m 0750 /var/lib/nightcast
COPY --from=build /src/target/release/nightcast /usr/local/bin/nightcast
# Its default configuration; yours is mounted over it.
COPY packaging/docker/channels.toml /etc/nightcast/channels.toml
ENV NIGHTCAST_CONFIG=/etc/nightcast/channels.toml
# By number, so that it can be seen not to be root without reading the image's files.
USER 10001
WORKDIR /var/lib/nightcast
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s --retries=3 CMD ["nightcast", "healthcheck"]
ENTRYPOINT ["nightcast"]
CMD ["run"]
