#!/usr/bin/env bash
# Learns tunes, and makes one up: to hear, and to look at.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"

title "Learn from old tunes, a note at a time"
python3 "$here/tunes.py" train >"$work/tunes.txt"
head -n 2 "$work/tunes.txt"
train notes --tokens="$work/tunes.txt" --token_unit=word --cell=gru --hidden_size=24 --embedding_size=12 --window=24 \
  --batch_size=8 --learning_rate=0.005 --epochs=5 --patience=0 --norefit --validation=0.1 --test=0.05 --threads=1
python3 client/examples/name_tokens.py "$work/models/notes/1/model.safetensors" "$work/served/tunes/1/model.safetensors" --spaced
serve "$work/served"

title "A tune of its own (seed 4)"
begin_measuring
tune="C2 $("$bin/rondo" generate tunes --prompt="C2 " --max_tokens=64 --temperature=0.7 --seed=4 --stop=". ")"
mkdir -p build/examples
python3 "$here/tunes.py" play "$tune" build/examples/tune
echo "to hear: build/examples/tune.wav; to look at: build/examples/tune.svg"

title "How well it knows tunes that were kept apart"
read -r bits pairs < <(RONDO="$bin/rondo" python3 "$here/score.py" "$work/served/tunes/1/model.safetensors")
end_measuring
echo "$bits bits a note; counts of the note before: $pairs"
result "bits a note" "$bits" "$pairs"
