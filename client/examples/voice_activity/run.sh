#!/usr/bin/env bash
# Hears when somebody speaks, frame by frame.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"

title "Learn from speech in noise"
python3 "$here/sound.py" $((${short:-0} ? 36 : 240)) 1 >"$work/training.csv" &
python3 "$here/sound.py" $((${short:-0} ? 9 : 120)) 2 >"$work/test.csv"
wait $!
train voice --task=tag --data="$work/training.csv" --series=piece --inputs=level,crossings,hiss,pitch --target=heard --cell=gru \
  --hidden_size=24 --batch_size=8 --learning_rate=0.01 --epochs=$((${short:-0} ? 6 : 40)) --validation=0.15 --test=0.1
tail -n 5 "$work/train.log"
serve "$work/models"

title "Sound that was not learned from, through a pipe"
begin_measuring
cut -d, -f2-5 "$work/test.csv" | "$bin/rondo" predict voice --input=- --session=microphone --label >"$work/answers.csv"
end_measuring
read -r error level < <(python3 "$here/score.py" "$work/training.csv" "$work/test.csv" "$work/answers.csv" "$seconds")
echo "wrong: $error of 100 frames; by the level alone $level"
result "wrong frames of 100" "$error" "$level"
