#!/usr/bin/env bash
# Tells the names of domains that people choose from those that programs make up.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"

title "Learn from names of both kinds"
python3 "$here/names.py" $((${short:-0} ? 2000 : 20000)) 1 >"$work/training.csv"
python3 "$here/names.py" $((${short:-0} ? 500 : 4000)) 2 >"$work/test.csv"
head -n 7 "$work/training.csv"
train domains --task=classify --data="$work/training.csv" --target=made_by --text=name --cell=gru --hidden_size=48 \
  --embedding_size=12 --batch_size=32 --learning_rate=0.01 --epochs=$((${short:-0} ? 4 : 12)) --validation=0.1 --test=0.1
tail -n 6 "$work/train.log"
serve "$work/models"

title "Names that were not learned from"
begin_measuring
printf '%s\n' lambofgod whitewater-gate xkqzvbtrpw davikozemu | "$bin/rondo" predict domains --input=- --text --label
read -r errors pairs < <(RONDO="$bin/rondo" python3 "$here/score.py" "$work/training.csv" "$work/test.csv")
end_measuring
echo "wrong: $errors of 100; by letter pairs $pairs"
result "wrong names of 100" "$errors" "$pairs"
