# Plots temp_max of the lines of join.awk between the days `from` and `to`: a column a day, a row a degree.
#
#   awk -v from=2015-06-01 -v to=2015-08-31 -f plot.awk JOINED
function level(celsius) { return int(celsius + (celsius < 0 ? -0.5 : 0.5)) }
function mark(day, row, symbol) {
  if (grid[day, row] != "" && grid[day, row] != symbol) symbol = "#"
  grid[day, row] = symbol
  if (count == 1 && symbol == "o") low = high = row
  if (row < low) low = row
  if (row > high) high = row
}
$1 >= from && $1 <= to {
  count++
  date[count] = $1
  mark(count, level($2), "o")
  mark(count, level($4), "*")
}
END {
  printf "temp_max in C, %s to %s:  o actual   * predicted the day before   # both\n\n", from, to
  for (row = high; row >= low; row--) {
    line = ""
    for (day = 1; day <= count; day++) line = line ((day, row) in grid ? grid[day, row] : " ")
    sub(/ +$/, "", line)
    printf "%4s |%s\n", row % 2 ? "" : row, line
  }
  axis = ""
  labels = ""
  for (day = 1; day <= count; day++) {
    first = substr(date[day], 9) == "01"
    axis = axis (first ? "+" : "-")
    if (first) labels = sprintf("%-" (day - 1) "s%s", labels, date[day])
  }
  printf "     +%s\n      %s\n", axis, labels
}
