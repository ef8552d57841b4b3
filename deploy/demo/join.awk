# Puts each day's weather beside what was predicted for it: for every day of `year` a line
#   date, then for each of temp_max, temp_min, wind: actual, the day before, predicted
#
#   awk -v year=2015 -f join.awk PREDICTIONS.csv WEATHER.csv
#
# A prediction row has the date of the day it was made on: it is for the next day. Columns are found by their names.
BEGIN {
  FS = ","
  names = split("temp_max temp_min wind", name, " ")
}
FNR == 1 {
  file++
  for (i = 1; i <= NF; i++) column[$i] = i
  next
}
file == 1 {
  for (i = 1; i <= names; i++) predicted[$column["date"], i] = $column[name[i]]
  next
}
{
  date = $column["date"]
  if (substr(date, 1, 4) == year) {
    line = date
    for (i = 1; i <= names; i++) {
      if (!((before, i) in predicted)) {
        print "join: no prediction was made on " before > "/dev/stderr"
        exit 1
      }
      line = line " " $column[name[i]] " " last[i] " " predicted[before, i]
    }
    print line
  }
  for (i = 1; i <= names; i++) last[i] = $column[name[i]]
  before = date
}
