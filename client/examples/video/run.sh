#!/usr/bin/env bash
# Knows what moves in a small video, frame by frame, and where to.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
readonly learned=$((${short:-0} ? 450 : 4000)) judged=$((${short:-0} ? 54 : 450))
readonly picture=build/examples/video.svg
mkdir -p build/examples

title "Learn from $learned videos of 8 x 8 pixels"
python3 "$here/video.py" "$learned" 1 >"$work/videos.csv"
train video --task=classify --data="$work/videos.csv" --series=video --inputs="$(seq --format=p%g --separator=, 0 63)" --target=what \
  --cell=gru --hidden_size=48 --batch_size=16 --learning_rate=0.005 --epochs=$((${short:-0} ? 10 : 20)) --validation=0.15 --test=0.1
tail -n 11 "$work/train.log"
serve "$work/models"

title "Videos that were not learned from, a session each, a frame at a time"
begin_measuring
read -r errors means < <(RONDO="$bin/rondo" python3 "$here/score.py" "$learned" "$judged" "$picture")
end_measuring
echo "wrong: $errors of 100; by the mean video of each class $means"
echo "to look at: $picture"
result "wrong videos of 100" "$errors" "$means"
