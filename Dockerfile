# Rondo's server with the demo model, on 0.0.0.0:8001 (gRPC) and :8002 (/metrics).
#
#   docker build --tag rondo .        or without Docker and without a registry: deploy/build_image.sh
#
# Other models: mount a folder <name>/<version>/model.safetensors at /models.
ARG BASE_IMAGE=debian:12-slim

FROM ${BASE_IMAGE} AS build
WORKDIR /src
COPY deploy/packages.txt deploy/setup.sh deploy/
RUN deploy/setup.sh build
COPY . .
RUN cmake --preset release -DRONDO_BUILD_TESTS=OFF \
 && cmake --build --preset release --target rondo-server rondo \
 && strip build/release/bin/rondo-server build/release/bin/rondo \
 && deploy/runtime_packages.sh build/release/bin/rondo-server build/release/bin/rondo > runtime_packages.txt

FROM ${BASE_IMAGE}
COPY --from=build /src/runtime_packages.txt /usr/share/rondo/
RUN apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive xargs -a /usr/share/rondo/runtime_packages.txt \
    apt-get install -qq --yes --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/build/release/bin/rondo-server /src/build/release/bin/rondo /usr/local/bin/
COPY deploy/demo/models /models
# Numeric, so that Kubernetes can check runAsNonRoot.
USER 65532:65532
EXPOSE 8001 8002
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/rondo-server"]
CMD ["--model_repository=/models", "--listen=0.0.0.0:8001", "--http_listen=0.0.0.0:8002"]
