# Rondo's server with the demo model, on 0.0.0.0:8001 (gRPC) and :8002 (/metrics).
#
#   docker build --tag rondo .        or without Docker and without a registry: deploy/build_image.sh
#
# It listens without TLS (--insecure): keep the ports inside a network that is safe, put a proxy in front, or give --tls_cert and --tls_key instead.
# Other models: mount a folder <name>/<version>/model.safetensors at /models. The image has the server, its client `rondo`
# and the libraries that they load, but no shell.
ARG BASE_IMAGE=debian:12-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY deploy/packages.txt deploy/setup.sh deploy/
RUN deploy/setup.sh build
COPY . .
RUN cmake --preset release -DRONDO_BUILD_TESTS=OFF \
 && cmake --build --preset release --target rondo-server rondo \
 && strip build/release/bin/rondo-server build/release/bin/rondo \
 && deploy/image_root.sh /root_of_image build/release/bin/rondo-server build/release/bin/rondo

FROM scratch
LABEL org.opencontainers.image.title="Rondo" \
      org.opencontainers.image.description="A gRPC server for recurrent networks that keeps the state of every session" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /root_of_image /
COPY deploy/demo/models /models
ENV PATH=/usr/local/bin
# Numeric, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
EXPOSE 8001 8002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s CMD ["/usr/local/bin/rondo", "--server=127.0.0.1:8001", "models"]
ENTRYPOINT ["/usr/local/bin/rondo-server"]
CMD ["--model_repository=/models", "--listen=0.0.0.0:8001", "--http_listen=0.0.0.0:8002", "--insecure"]
