#!/usr/bin/env bash
# Lets a small network write verses, and says how well it knows verses that it has not seen.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
serve "$here/models"
write() { "$bin/rondo" generate verses --temperature=0.6 "$@"; }

title "The LORD is ... (seed 1: the same text each time)"
text=$(write --prompt="The LORD is" --max_tokens=400 --seed=1)
echo "The LORD is$text"
[[ $text == "$(write --prompt="The LORD is" --max_tokens=400 --seed=1)" ]]

title "A session remembers: a question, and then an answer to it"
echo -n "Who is "
write --session=talk --move --prompt="Who is " --max_tokens=100 --seed=2 --stop='?'
echo -n " He that "
write --session=talk --move --prompt=" He that " --max_tokens=120 --seed=3 --stop=.
echo

title "8 clients at once"
begin_measuring
clients=()
for i in {1..8}; do
  write --prompt=O --max_tokens=$((${short:-0} ? 200 : 2000)) --seed="$i" >"$work/text$i" &
  clients+=($!)
done
wait "${clients[@]}"
end_measuring
[[ $(write --prompt=O --max_tokens=200 --seed=8) == "$(head -c 200 "$work/text8")" ]]
awk -v seconds="$seconds" -v tokens=$((8 * (${short:-0} ? 200 : 2000))) 'BEGIN { printf "%.0f characters a second\n", tokens / seconds }'

title "How well it knows verses that were kept apart"
read -r bits counted < <(RONDO="$bin/rondo" python3 "$here/score.py" $((${short:-0} ? 2000 : 30000)))
echo "$bits bits a character; the counts of three characters before: $counted"
result "bits a character" "$bits" "$counted"
