#!/usr/bin/env bash
# Prints the Debian packages that own the shared libraries of the given programs, one a line.
#
#   deploy/runtime_packages.sh PROGRAM...
#
# The names of run-time packages carry library versions and differ between Debian releases, so they are never written
# down: the build says what it linked.
set -euo pipefail

(($#)) || { echo "usage: $0 PROGRAM..." >&2; exit 2; }
missing=$(ldd "$@" | grep 'not found' || true)
[[ -z $missing ]] || { echo "runtime_packages: $missing" >&2; exit 1; }
ldd "$@" | awk '$2 == "=>" { print $3 }' | xargs realpath | sort -u |
  while read -r library; do
    # Debian's package lists may still say /lib for what lives in /usr/lib.
    owner=$(dpkg-query --search "$library" 2>/dev/null || dpkg-query --search "${library#/usr}" 2>/dev/null) ||
      { echo "runtime_packages: no package owns $library" >&2; exit 1; }
    echo "${owner%%:*}"
  done | sort -u
