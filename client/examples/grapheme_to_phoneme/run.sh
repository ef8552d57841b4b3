#!/usr/bin/env bash
# Speaks words that it has not seen: an encoder reads the letters, a decoder goes on from its state, by beam search.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"

title "Learn from words and how they are spoken"
python3 "$here/words.py" $((${short:-0} ? 400 : 16000)) 1 >"$work/training.txt"
python3 "$here/words.py" $((${short:-0} ? 20 : 400)) 2 "$work/training.txt" >"$work/test.txt"
head -n 5 "$work/training.txt"
train words --tokens="$work/training.txt" --cell=lstm --hidden_size=96 --embedding_size=16 --batch_size=32 \
  --learning_rate=0.01 --epochs=$((${short:-0} ? 3 : 20)) --validation=0.05 --test=0.01 --norefit --threads=1
for model in reader speaker; do
  python3 client/examples/name_tokens.py "$work/models/words/1/model.safetensors" "$work/served/$model/1/model.safetensors"
done
serve "$work/served"

title "Words that were not learned from"
begin_measuring
read -r errors rule < <(RONDO="$bin/rondo" python3 "$here/score.py" "$work/served/reader/1/model.safetensors" \
  "$work/training.txt" "$work/test.txt" 4)
end_measuring
echo "wrong: $errors of 100 words; with one sound a letter $rule"
result "wrong words of 100" "$errors" "$rule"
