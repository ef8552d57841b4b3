#!/usr/bin/env bash
# The root folder of the image has all that the programs load and little else: the server runs in it without a user, a shell
# or a writable folder, and its own client asks it.
#
#   image_root_test.sh BIN_DIR     from the repository's root; exit 77: not root, so no chroot
set -euo pipefail
source deploy/server_process.sh

readonly bin=$1
readonly most_megabytes=150
((EUID == 0)) || { echo "skipped: only root may chroot"; exit 77; }
work=$(mktemp -d)
trap 'kill_server; rm -rf "$work"' EXIT
fail() { echo "image_root_test: $*" >&2; exit 1; }
inside() { chroot --userspec=65532:65532 "$work/root" "$@"; }

chmod 755 "$work"
for program in rondo-server rondo; do strip -o "$work/$program" "$bin/$program"; done
deploy/image_root.sh "$work/root" "$work/rondo-server" "$work/rondo"
cp -r deploy/demo/models "$work/root/models"

megabytes=$(du --summarize --block-size=1M "$work/root" | cut -f1)
((megabytes <= most_megabytes)) || fail "$megabytes MB; wanted at most $most_megabytes"
[[ -z $(find "$work/root" -name sh -o -name bash -o -name 'apt*' -o -name '*LLVM*') ]] ||
  fail "there is a shell, a package manager, or what nobody loads"
grep -q '^libc6 ' "$work/root/usr/share/rondo/packages.txt" || fail "packages.txt does not say what is in it"

start_server "$work/server.log" chroot --userspec=65532:65532 "$work/root" /usr/local/bin/rondo-server \
  --model_repository=/models
inside /usr/local/bin/rondo --server="$RONDO_SERVER" models | grep -q '^seattle,1,.*,ready,' || fail "no model is ready"
stop_server
echo "image_root_test: $megabytes MB"
