#!/usr/bin/env bash
# Runs a command of this tree on a bare Debian of another release, in a root folder that debootstrap makes.
#
#   sudo deploy/check_debian.sh SUITE [COMMAND...]      default: tests/run.sh
#   sudo deploy/check_debian.sh trixie                  Debian 13 (oneDNN 3.x): build and all tests
#   sudo deploy/check_debian.sh bookworm deploy/demo.sh Debian 12 with nothing installed
#
# Environment: DEBIAN_ROOT (build/debian-SUITE), DEBIAN_MIRROR. The root and its build are kept: the next run is incremental.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

(($#)) || { sed -n '2,/^set/{/^#/p}' "$0" >&2; exit 2; }
readonly suite=$1
shift
(($#)) || set -- tests/run.sh
root=$(realpath -m "${DEBIAN_ROOT:-build/debian-$suite}")
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

((EUID == 0)) || { echo "check_debian: needs root (debootstrap, chroot)" >&2; exit 1; }
deploy/setup.sh image

if [[ ! -e $root/.complete ]]; then
  echo "check_debian: making $root"
  rm -rf "$root"
  mkdir -p "$root"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" >"$root.log" ||
    { tail "$root.log" >&2; exit 1; }
  touch "$root/.complete"
fi

# The tree as it is now, without what was built or committed.
mkdir -p "$root/src"
find "$root/src" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
tar --create --exclude=./build --exclude=./.git . | tar --extract --directory "$root/src"

# What this machine trusts, for tests that ask PyPI through a proxy of it.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"

# Mounts and processes of its own: nothing stays mounted or running, however this ends. Devices, since tests need a
# terminal. No variable of this machine but the proxy's.
readonly path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# shellcheck disable=SC2016  # the inner shell expands it
unshare --mount /bin/bash -euc '
  mount --rbind /dev "$1/dev"
  exec unshare --pid --fork --kill-child --mount-proc --root="$1" --wd=/src "${@:2}"' check_debian "$root" \
  env --ignore-environment HOME=/root LANG=C.UTF-8 PATH="$path" \
  ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
