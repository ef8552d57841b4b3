# Reads a /metrics page; prints count, p50 and p99 of rondo_request_duration_seconds by method, in milliseconds, over all
# codes, interpolated in the histogram's buckets as Prometheus' histogram_quantile does.
function label(text, name) {
  if (!match(text, name "=\"[^\"]*\"")) return ""
  return substr(text, RSTART + length(name) + 2, RLENGTH - length(name) - 3)
}
function quantile(method, q,    wanted, i, below, lower) {
  wanted = q * cumulative[method, bounds]
  for (i = 1; i <= bounds; i++) {
    if (cumulative[method, i] >= wanted) {
      below = i > 1 ? cumulative[method, i - 1] : 0
      lower = i > 1 ? bound[i - 1] : 0
      if (bound[i] == "+Inf") return lower
      return lower + (bound[i] - lower) * (wanted - below) / (cumulative[method, i] - below)
    }
  }
}
/^rondo_request_duration_seconds_bucket\{/ {
  method = label($0, "method")
  le = label($0, "le")
  if (!(method in methods)) methods[method] = ++number
  if (!(le in index_of)) {
    index_of[le] = ++bounds
    bound[bounds] = le
  }
  cumulative[method, index_of[le]] += $NF
}
END {
  printf "  %-16s  %8s  %9s  %9s\n", "method", "requests", "p50", "p99"
  for (method in methods) {
    total = cumulative[method, bounds]
    if (total) printf "  %-16s  %8d  %6.3f ms  %6.3f ms\n", method, total, 1000 * quantile(method, 0.5), 1000 * quantile(method, 0.99)
  }
}
