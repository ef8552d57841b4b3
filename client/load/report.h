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
  std::vector<MeasuredRound> rounds;    // the same, one by one
  std::optional<Measurement> creation;  // of the sessions of options.session_pool, on rondo
  std::optional<Measurement> baseline;  // of options.baseline
  bool interrupted = false;
};

// For people: what was run, and a table with the columns rondo, echo or native, and the ratio of the two.
std::string ReportText(const RunReport& report);

// One JSON object: messages_per_second, steps_per_second, p50_seconds, p90_seconds, p99_seconds, p999_seconds,
// max_seconds, messages, errors, errors_by_code; with a baseline also `echo` or `native` with the same and `ratio` with
// throughput, p50, p99 (null if the baseline answered nothing); with a session pool `creation` with the same and
// seconds; `rounds`, the server's one by one: the same and from_unix_seconds; `settings`, `model`, `interrupted`. One
// line at its end.
std::string ReportJson(const RunReport& report);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_REPORT_H_
