#include "client/load/load_options.h"

#include <initializer_list>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace rondo::load {
namespace {

absl::Status CheckRange(absl::string_view flag, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat("--%s is %.10g; wanted %.10g to %.10g", flag, value, low, high));
}

absl::Status CheckRange(absl::string_view flag, absl::Duration value, absl::Duration low, absl::Duration high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, " is ", absl::FormatDuration(value), "; wanted ",
                                                 absl::FormatDuration(low), " to ", absl::FormatDuration(high)));
}

absl::Status FirstError(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Checks the options that go with one protocol only.
absl::Status CheckProtocol(const LoadOptions& options) {
  const bool native = options.protocol == Protocol::kNative;
  if (native && options.string_ids) {
    return absl::InvalidArgumentError("--string_ids is set; wanted --protocol=open_inference with it");
  }
  if (native && options.baseline == Baseline::kNative) {
    return absl::InvalidArgumentError("--native_baseline is set; wanted --protocol=open_inference with it");
  }
  if (!native && options.baseline == Baseline::kEcho) {
    return absl::InvalidArgumentError("--echo_baseline is set; wanted --protocol=native with it: the echo speaks that");
  }
  if (!native && options.sessions_per_message != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--sessions_per_message is ", options.sessions_per_message,
                     "; wanted 1 with --protocol=open_inference: its messages bring one sequence"));
  }
  return absl::OkStatus();
}

// Checks the options of a session pool. At least half of each stream's share is not in flight, so that a free session
// is soon drawn.
absl::Status CheckPool(const LoadOptions& options) {
  if (options.session_pool == 0) {
    if (!options.keep_sessions) return absl::OkStatus();
    return absl::InvalidArgumentError("--keep_sessions is set; wanted --session_pool with it");
  }
  if (options.protocol != Protocol::kNative || options.stateless) {
    return absl::InvalidArgumentError("--session_pool is set; wanted --protocol=native and no --stateless with it");
  }
  const int64_t in_flight = int64_t{options.streams} * options.in_flight * options.sessions_per_message;
  if (options.session_pool >= 2 * in_flight) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--session_pool is ", options.session_pool, "; wanted at least ",
                                                 2 * in_flight, ", twice the sessions of all messages in flight"));
}

}  // namespace

absl::Status LoadOptions::Validate() const {
  if (server.empty()) return absl::InvalidArgumentError("--server is empty; wanted HOST:PORT");
  if (model.empty())
    return absl::InvalidArgumentError("--model is empty; wanted the name of one of the server's models");
  absl::Status ranges = FirstError({
      CheckRange("streams", streams, 1, 100000),
      CheckRange("sessions_per_message", sessions_per_message, 1, 65536),
      CheckRange("timesteps", timesteps, 1, 65536),
      CheckRange("rate", rate, 0, 1e6),
      CheckRange("in_flight", in_flight, 1, 1024),
      CheckRange("duration", duration, absl::Milliseconds(10), absl::Hours(24)),
      CheckRange("warmup", warmup, absl::ZeroDuration(), absl::Hours(1)),
      CheckRange("rounds", rounds, 1, 1000),
      CheckRange("threads", threads, 1, 256),
      CheckRange("connections", connections, 1, 10000),
      CheckRange("session_pool", static_cast<double>(session_pool), 0, 1e8),
  });
  if (ranges.ok()) ranges = CheckProtocol(*this);
  if (ranges.ok()) ranges = CheckPool(*this);
  if (!ranges.ok()) return ranges;
  if (threads > streams) {
    return absl::InvalidArgumentError(absl::StrCat("--threads is ", threads, "; wanted at most --streams=", streams));
  }
  if (unary && in_flight > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--in_flight is ", in_flight, "; wanted 1 with --unary: unary calls may overtake each other"));
  }
  return absl::OkStatus();
}

}  // namespace rondo::load
