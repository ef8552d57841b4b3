#!/usr/bin/env bash
# Builds the image of the Dockerfile without Docker and without an image registry: debootstrap makes the base image from
# Debian's packages, buildah builds on it.
#
#   sudo deploy/build_image.sh [TAG]           default rondo:latest; needs root and Debian's package mirror
#
# Environment: DEBIAN_SUITE (bookworm), DEBIAN_MIRROR, IMAGE_STORAGE (build/image): where base and images are kept. A second
# run reuses the base and every layer that has not changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source deploy/image_storage.sh

tag=${1:-rondo:latest}
suite=${DEBIAN_SUITE:-bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
base=localhost/debian-$suite-slim

((EUID == 0)) || { echo "build_image: needs root (debootstrap, chroot)" >&2; exit 1; }
deploy/setup.sh image

make_base() {
  local root container
  root=$(mktemp -d "$IMAGE_STORAGE/base.XXXXXX")
  # shellcheck disable=SC2064  # the folder's name as it is now
  trap "rm -rf '$root'" RETURN
  echo "build_image: making the base image $base"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$IMAGE_STORAGE/debootstrap.log" ||
    { tail "$IMAGE_STORAGE/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  container=$(image_tool from scratch)
  image_tool add --quiet "$container" "$root" / >/dev/null
  image_tool config --cmd /bin/bash "$container"
  image_tool commit --quiet --rm "$container" "$base" >/dev/null
}

image_tool inspect --type image "$base" >/dev/null 2>&1 || make_base
image_tool build --format docker --layers --pull-never --build-arg BASE_IMAGE="$base" --tag "$tag" .
image_tool images "$tag"
