# syntax=docker/dockerfile:1
# The server with page and models. From the repository's root:  docker build --tag cipherformer .
# Run it with a volume for the clients' keys:  docker run --publish 127.0.0.1:8080:8080 --volume cipherformer-keys:/var/lib/cipherformer cipherformer

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# Features of the server, such as s3.
ARG FEATURES=""
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    tools/page.sh /usr/share/cipherformer/web \
    && cargo build --release --locked --package cipherformer-native-server --features "$FEATURES" \
    && cp target/release/cipherformer-server /usr/local/bin/

FROM debian:12-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/cipherformer cipherformer \
    && install --directory --owner cipherformer --mode 0700 /var/lib/cipherformer
COPY --from=build /usr/local/bin/cipherformer-server /usr/local/bin/
COPY --from=build /usr/share/cipherformer/web /usr/share/cipherformer/web
COPY --from=build /source/models/cifar100-vit /usr/share/cipherformer/models/cifar100-vit
COPY --from=build /source/models/wiki-lm /usr/share/cipherformer/models/wiki-lm
USER cipherformer
ENV CIPHERFORMER_ADDRESS=0.0.0.0:8080 \
    CIPHERFORMER_MODELS=/usr/share/cipherformer/models \
    CIPHERFORMER_WEB=/usr/share/cipherformer/web \
    CIPHERFORMER_KEY_STORE=/var/lib/cipherformer/keys \
    CIPHERFORMER_LOG_FORMAT=json
VOLUME /var/lib/cipherformer
EXPOSE 8080
# The server finishes what runs: 20 seconds, and 2 for connections.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["cipherformer-server"]
