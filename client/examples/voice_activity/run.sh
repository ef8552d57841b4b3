#!/usr/bin/env bash
# Hears when somebody speaks in the noise of a street: espeak-ng speaks, and the sound comes through a pipe.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
# The short form, which tests run, installs nothing.
command -v espeak-ng >/dev/null || [[ ${short:-} ]] || deploy/setup.sh examples >&2 || true
command -v espeak-ng >/dev/null || { echo "espeak-ng, which speaks here, is not installed and cannot be had (Debian: espeak-ng)"; exit 77; }
mkdir -p build/examples
readonly heard=build/examples/voice

title "Speech in noise: to learn from, and other voices with other words to be judged by"
python3 "$here/sound.py" $((${short:-0} ? 60 : 3000)) 1 "$work/learned" &
python3 "$here/sound.py" $((${short:-0} ? 20 : 240)) 2 "$heard"
wait $!
echo "to hear: $heard.wav"

title "Learn whether somebody speaks, from how loud the sound is in 33 bands"
python3 "$here/ear.py" "$work/ear/ear/1/model.safetensors"
serve "$work/ear"
python3 "$here/frames.py" <"$work/learned.wav" | "$bin/rondo" predict ear --input=- >"$work/bands.csv"
stop_server
paste -d, "$work/learned.csv" "$work/bands.csv" >"$work/lessons.csv"
train network --task=tag --data="$work/lessons.csv" --series=piece --inputs="$(head -n 1 "$work/bands.csv")" --target=heard --cell=gru \
  --hidden_size=64 --batch_size=4 --learning_rate=0.003 --weight_decay=0.1 --epochs=$((${short:-0} ? 8 : 40)) --validation=0.15 --test=0.05
tail -n 5 "$work/train.log"
python3 "$here/ear.py" "$work/served/voice/1/model.safetensors" "$work/models/network/1/model.safetensors"
serve "$work/served"

title "Live: sound as it comes, and each piece of speech (begin,end) when it has ended"
begin=$EPOCHREALTIME
python3 "$here/frames.py" $((${short:-0} ? 4 : 10)) <"$heard.wav" |
  "$bin/rondo" stream voice --session=microphone | python3 "$here/marks.py" |
  { read -r header; while read -r piece; do awk -v a="$begin" -v b="$EPOCHREALTIME" -v x="$piece" 'BEGIN { printf "after %.2f s: %s\n", b - a, x }'; done; }

title "The whole of it through a pipe, on one core"
core=$(taskset --cpu-list --pid $$ | sed 's/.*: \([0-9]*\).*/\1/')
for process in $$ "$server_pid"; do taskset --all-tasks --cpu-list --pid "$core" "$process" >/dev/null; done
server_ticks() { awk '{ print $14 + $15 }' "/proc/$server_pid/stat"; }
ticks=$(server_ticks)
TIMEFORMAT='%U %S'
begin_measuring
{ time python3 "$here/frames.py" <"$heard.wav" | "$bin/rondo" predict voice --input=- --session=recording |
  python3 "$here/marks.py" >"$work/segments.csv"; } 2>"$work/times.txt"
end_measuring
cpu=$(awk -v ticks=$(($(server_ticks) - ticks)) -v hz="$(getconf CLK_TCK)" '{ print $1 + $2 + ticks / hz }' "$work/times.txt")
read -r error level < <(python3 "$here/score.py" "$work/learned" "$heard" "$work/segments.csv" "$seconds" "$cpu" "$heard.svg")
echo "wrong: $error of 100 frames; by the level alone $level"
echo "to look at: $heard.svg"
result "wrong frames of 100" "$error" "$level"
