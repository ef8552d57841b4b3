#!/usr/bin/env bash
# Builds Rondo and runs its tests on Debian 13 (oneDNN 3.x), in a root folder that debootstrap makes.
#
#   sudo deploy/check_debian13.sh [COMMAND...]      default: tests/run.sh
#
# Environment: DEBIAN13_ROOT (build/debian13), DEBIAN_MIRROR. The root and its build are kept: a second run is incremental.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$(realpath -m "${DEBIAN13_ROOT:-build/debian13}")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
(($#)) || set -- tests/run.sh

((EUID == 0)) || { echo "check_debian13: needs root (debootstrap, chroot)" >&2; exit 1; }
deploy/setup.sh image

if [[ ! -x $root/usr/bin/apt-get ]]; then
  echo "check_debian13: making $root"
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror" >"$root.log" || { tail "$root.log" >&2; exit 1; }
fi

# The tree as it is now, without what was built or committed.
mkdir -p "$root/src"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
tar --create --exclude=./build --exclude=./.git . | tar --extract --directory "$root/src"

# A mount and process namespace of its own: nothing stays mounted or running, however this ends.
unshare --mount --pid --fork --kill-child chroot "$root" /bin/bash -c '
  mount -t proc proc /proc
  cd /src
  exec "$@"' check_debian13 "$@"
