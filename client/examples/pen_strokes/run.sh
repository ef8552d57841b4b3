#!/usr/bin/env bash
# Knows shapes by how a pen moves that draws them.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
readonly learned=$((${short:-0} ? 320 : 2400)) judged=$((${short:-0} ? 64 : 800))

title "Learn from $learned strokes"
python3 "$here/strokes.py" "$learned" 1 >"$work/strokes.csv"
train strokes --task=classify --data="$work/strokes.csv" --series=stroke --inputs=dx,dy --target=shape --cell=gru --hidden_size=48 \
  --batch_size=16 --learning_rate=0.01 --epochs=$((${short:-0} ? 6 : 30)) --validation=0.15 --test=0.1
tail -n 11 "$work/train.log"
serve "$work/models"

title "Strokes that were not learned from"
begin_measuring
read -r errors templates < <(RONDO="$bin/rondo" python3 "$here/score.py" "$learned" "$judged")
end_measuring
echo "wrong: $errors of 100; by templates $templates"
result "wrong strokes of 100" "$errors" "$templates"
