#!/usr/bin/env bash
# Balances poles on carts 100 times a second, by a network that has seen a controller do it.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
readonly loops=$((${short:-0} ? 2 : 8)) time=$((${short:-0} ? 5 : 30))

title "Learn from what a controller does that is told the speeds"
python3 "$here/lessons.py" 20000 >"$work/lessons.csv"
train cart --data="$work/lessons.csv" --target=force --inputs=position,angle --cell=gru --hidden_size=32 \
  --learning_rate=0.01 --batch_size=4 --window=100 --epochs=40 --threads=1
serve "$work/models"

title "$loops loops for $time s"
begin_measuring
read -r angle plain < <(RONDO="$bin/rondo" python3 "$here/control.py" "$loops" "$time")
end_measuring
echo "mean angle $angle degrees; of a controller without a memory $plain"
result "mean angle, degrees" "$angle" "$plain"
