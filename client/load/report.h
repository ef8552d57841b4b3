#ifndef RONDO_CLIENT_LOAD_REPORT_H_
#define RONDO_CLIENT_LOAD_REPORT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/load/load_options.h"
#include "client/load/measurement.h"
#include "rondo/v1/models.pb.h"

namespace rondo::load {

// One measured window of the server's.
struct MeasuredRound {
  absl::Time from;
  Measurement measurement;
};

struct RunReport {
  LoadOptions options;
  v1::Model model;
  Measurement rondo;                    // of all rounds
  std::vector<MeasuredRound> rounds;    // each round that `rondo` sums up
  std::optional<Measurement> creation;  // of the sessions of options.session_pool, on rondo
  std::optional<Measurement> baseline;  // of options.baseline
  bool interrupted = false;
};

// A text for people: it says what was run, and has a table with the columns rondo, echo or native, and their ratio.
std::string ReportText(const RunReport& report);

// One JSON object and a line's end. Its figures are messages_per_second, steps_per_second, p50_seconds, p90_seconds,
// p99_seconds, p999_seconds, max_seconds, messages, errors and errors_by_code. With a baseline, `echo` or `native` has
// these figures too, and `ratio` has throughput, p50 and p99 (null if the baseline answered nothing). With a session
// pool, `creation` has these figures and seconds. Each of `rounds` has the server's figures of one round and
// from_unix_seconds. The rest is `settings`, `model` and `interrupted`.
std::string ReportJson(const RunReport& report);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_REPORT_H_
