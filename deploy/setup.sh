#!/usr/bin/env bash
# Installs the Debian packages that are missing, by section of deploy/packages.txt (default: build test).
#
#   deploy/setup.sh [--list] [SECTION...]      sections: build test examples check bench image
#
# Runs as root or through sudo, as often as wanted; when nothing is missing it changes nothing and needs no network.
# --list prints the packages of the sections and installs nothing.
set -euo pipefail

packages_file=$(dirname "${BASH_SOURCE[0]}")/packages.txt

# The packages of the sections $@, one a line. Fails on a section that the file does not have.
packages_of() {
  local section
  for section in "$@"; do
    if ! grep -q "^\[$section\]" "$packages_file"; then
      echo "setup: no section [$section] in $packages_file; it has" $(sed -n 's/^\[\(.*\)\].*/\1/p' "$packages_file") >&2
      return 2
    fi
    sed -e 's/[[:space:]]*#.*//' "$packages_file" |
      awk -v wanted="[$section]" '/^\[/ { inside = $0 == wanted; next } inside && NF { print $1 }'
  done
}

# Runs a command during which no package starts a daemon: the tests start their own Redis and Prometheus. (Debian asks
# policy-rc.d; one that is there, as in containers, stays in charge.)
without_daemons() {
  local policy=/usr/sbin/policy-rc.d
  if [[ -e $policy ]]; then "$@"; return; fi
  # shellcheck disable=SC2064  # as they are now
  trap "${as_root[*]} rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install --mode 755 /dev/stdin "$policy"
  "$@"
}

# Those of the packages on stdin that are not installed.
missing() {
  local package
  while read -r package; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

main() {
  local list_only=
  if [[ ${1:-} == --list ]]; then list_only=1; shift; fi
  (($#)) || set -- build test
  local wanted to_install
  wanted=$(packages_of "$@")
  if [[ $list_only ]]; then echo "$wanted"; return; fi

  to_install=$(missing <<<"$wanted")
  if [[ -z $to_install ]]; then
    echo "setup: every package of [$*] is installed"
    return
  fi
  echo "setup: installing" $to_install
  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || { echo "setup: not root and no sudo; as root run: $0 $*" >&2; return 1; }
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  "${apt[@]}" update </dev/null || echo "setup: apt-get update failed; going on with the lists that are here" >&2
  # shellcheck disable=SC2086  # one word a package
  without_daemons "${apt[@]}" install --yes --no-install-recommends $to_install </dev/null >/dev/null
  echo "setup: done"
}

main "$@"
