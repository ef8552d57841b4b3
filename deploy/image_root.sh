#!/usr/bin/env bash
# Makes the root folder of an image: programs, the libraries that they load, certificates, and nothing else (no shell, no
# package manager). The libraries' licences are in /usr/share/doc, their packages and versions in
# /usr/share/rondo/packages.txt.
#
#   deploy/image_root.sh FOLDER PROGRAM...      the programs go to FOLDER/usr/local/bin
set -euo pipefail

(($# >= 2)) || { echo "usage: $0 FOLDER PROGRAM..." >&2; exit 2; }
root=$1
shift
[[ ! -e $root ]] || { echo "image_root: $root is there already" >&2; exit 1; }

# The packages that own the files. Debian's package lists may still say /lib for what lives in /usr/lib.
owners_of() {
  local owned file
  owned=$(dpkg-query --search "$@" "${@#/usr}" 2>/dev/null || true)
  for file in "$@"; do
    [[ $owned$'\n' == *": $file"$'\n'* || $owned$'\n' == *": ${file#/usr}"$'\n'* ]] ||
      { echo "image_root: no package owns $file" >&2; return 1; }
  done
  sed 's/:.*//' <<<"$owned" | sort -u
}

# The libraries that the programs load, and the loader itself, by the names that they are looked up by.
libraries_of() {
  local missing
  missing=$(ldd "$@" | grep 'not found' || true)
  [[ -z $missing ]] || { echo "image_root: $missing" >&2; return 1; }
  ldd "$@" | awk '$2 == "=>" { print $3 } $1 ~ /^\// && $2 ~ /^\(/ { print $1 }' | sort -u
}

mkdir -p "$root"/{etc/ssl/certs,tmp,usr/lib,usr/lib64,usr/local/bin,usr/share/rondo,usr/share/doc}
chmod 1777 "$root/tmp"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"
install --mode=755 "$@" "$root/usr/local/bin"

libraries=$(libraries_of "$@")
# shellcheck disable=SC2086  # one word a library
packages=$(owners_of $(realpath $libraries))
for library in $libraries; do
  install -D --mode=755 "$(realpath "$library")" "$root$library"
done
for package in $packages; do
  install -D --mode=644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
  dpkg-query --show --showformat='${Package} ${Version} ${Architecture}\n' "$package"
done >"$root/usr/share/rondo/packages.txt"

install --mode=644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'rondo:x:65532:65532::/:/nonexistent' >"$root/etc/passwd"
echo 'rondo:x:65532:' >"$root/etc/group"
