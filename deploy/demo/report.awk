# Reads the lines of join.awk, prints some days, the months and the errors beside persistence (tomorrow is like today).
function absolute(x) { return x < 0 ? -x : x }
function better(error, reference) { return sprintf("%+.1f %%", 100 * (1 - error / reference)) }

BEGIN {
  names = split("temp_max temp_min wind", name, " ")
  split("C C m/s", unit, " ")
  split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", month_name, " ")
}
{
  month = substr($1, 6, 2) + 0
  days[month]++
  actual_sum[month] += $2
  predicted_sum[month] += $4
  model_sum[month] += absolute($4 - $2)
  persistence_sum[month] += absolute($3 - $2)
  for (i = 1; i <= names; i++) {
    model_error[i] += absolute($(3 * i + 1) - $(3 * i - 1))
    persistence_error[i] += absolute($(3 * i) - $(3 * i - 1))
  }
  if (NR <= 7) row[NR] = $0
}
END {
  print "The first week, temp_max in C (each prediction was made the day before):\n"
  printf "  %-10s  %9s  %9s  %6s\n", "day", "predicted", "actual", "error"
  for (i = 1; i <= 7; i++) {
    split(row[i], cell, " ")
    printf "  %-10s  %9.1f  %9.1f  %+6.1f\n", cell[1], cell[4], cell[2], cell[4] - cell[2]
  }
  print "\nBy month, temp_max in C:\n"
  printf "  %-5s  %4s  %9s  %6s  %5s  %11s  %8s\n", "month", "days", "predicted", "actual", "MAE", "persistence", "better"
  for (m = 1; m <= 12; m++) {
    if (!days[m]) continue
    printf "  %-5s  %4d  %9.1f  %6.1f  %5.2f  %11.2f  %8s\n", month_name[m], days[m], predicted_sum[m] / days[m],
           actual_sum[m] / days[m], model_sum[m] / days[m], persistence_sum[m] / days[m],
           better(model_sum[m], persistence_sum[m])
  }
  print "\nMean absolute error over the year, beside persistence (tomorrow is like today):\n"
  printf "  %-13s  %-4s  %5s  %11s  %8s\n", "", "unit", "MAE", "persistence", "better"
  for (i = 1; i <= names; i++) {
    printf "  %-13s  %-4s  %5.2f  %11.2f  %8s\n", name[i], unit[i], model_error[i] / NR, persistence_error[i] / NR,
           better(model_error[i], persistence_error[i])
  }
}
