#!/usr/bin/env bash
# Makes models/verses/1/model.safetensors anew, in some minutes: run.sh takes the one that is there. Ctrl-C ends the training
# and keeps the best so far.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
readonly bin=${RONDO_BIN:-build/release/bin} here=client/examples/text_generation
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Each line of the trainer's text is a sequence of its own, so 180 verses are one, with '|' where a line ends.
(cd "$here" && python3 -c 'from parts import split; print(split()[0], end="")') |
  awk '{ printf "%s|", $0 } NR % 180 == 0 { print "" } END { print "" }' >"$work/verses.txt"
"$bin/rondo-train" --tokens="$work/verses.txt" --cell=lstm --hidden_size=160 --embedding_size=32 --window=100 --batch_size=32 \
  --state=carry --learning_rate=0.008 --epochs=70 --validation=0.05 --test=0.01 --norefit --threads=1 --token_texts='|=\n' \
  --output="$work/model"
install -m 644 "$work/model/model.safetensors" "$here/models/verses/1/model.safetensors"
