#!/usr/bin/env bash
# Finds the words of a text without spaces, letter by letter.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"

title "Learn from verses without spaces, which word begins where"
python3 "$here/letters.py" training $((${short:-0} ? 300 : 6000)) >"$work/training.csv"
sed -n '1p;6,12p' "$work/training.csv"
train words --task=tag --bidirectional --data="$work/training.csv" --series=line --text=letter --target=word --cell=lstm --hidden_size=96 \
  --embedding_size=16 --batch_size=16 --learning_rate=0.005 --epochs=$((${short:-0} ? 2 : 10)) --validation=0.05 --test=0.05
tail -n 4 "$work/train.log"
serve "$work/models"

title "Verses that were not learned from"
begin_measuring
read -r error counts < <(RONDO="$bin/rondo" MODEL="$work/models/words/1/model.safetensors" \
  python3 "$here/score.py" $((${short:-0} ? 20 : 400)))
end_measuring
echo "100 - F1 of where words begin: $error %; by counts of the four letters around $counts %"
result "100 - F1, %" "$error" "$counts"
