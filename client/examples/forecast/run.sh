#!/usr/bin/env bash
# Learns from three years of Seattle's weather, and predicts tomorrow's highest temperature through the fourth, day by day.
source "$(dirname "${BASH_SOURCE[0]}")/../example.sh"
readonly weather=deploy/demo/seattle-weather.csv

title "Learn from 2012 to 2014"
train seattle --data="$weather" --time=date --inputs=temp_max,temp_min,wind --target=all --loss=gaussian
serve "$work/models"

title "A prediction for the day after each day of 2015"
awk -F, 'NR == 1 || substr($1, 1, 4) < 2015' "$weather" |
  "$bin/rondo" predict seattle --input=- --session=town >"$work/predictions.csv"
begin_measuring
awk -F, 'NR == 1 || substr($1, 1, 4) == 2015' "$weather" |
  "$bin/rondo" stream seattle --session=town | tail -n +2 >>"$work/predictions.csv"
end_measuring
awk -v year=2015 -f deploy/demo/join.awk "$work/predictions.csv" "$weather" >"$work/joined.txt"
head -n 7 "$work/joined.txt" | awk '{ printf "%s  predicted %5.1f C, was %5.1f C\n", $1, $4, $2 }'

title "The week after the last day: what half of 500 futures lie between"
"$bin/rondo" forecast seattle --session=town --horizon=7 --paths=500 | cut -d, -f1-5

read -r error same < <(awk '
  function absolute(x) { return x < 0 ? -x : x }
  { model += absolute($4 - $2); same += absolute($3 - $2) } END { print model / NR, same / NR }' "$work/joined.txt")
result "mean error, C" "$error" "$same"
