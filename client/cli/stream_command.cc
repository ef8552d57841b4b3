#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/target.h"

namespace rondo {
namespace {

constexpr char kDescription[] =
    R"(Reads CSV rows from stdin and answers each one at once. The table is as in 'rondo predict --help'. A
step that meets a broken connection is sent again, and never runs twice: until --timeout, or with
--retry for as long as it takes. Then a server may restart, or hand its sessions to another one of
the list, and each row is still answered once, in order.

examples:
  ./read-sensor | rondo stream machine --session=pump-7 --retry
  tail -n +1 -f measured.csv | rondo stream seattle --session=my-town | ./act
)";

struct Options {
  std::string session;
  RowMapping::Options table;
  bool retry = false;
};

constexpr absl::Duration kFirstPause = absl::Milliseconds(500);
constexpr absl::Duration kLongestPause = absl::Seconds(10);

// With --retry a server that does not answer is waited for as long as it takes.
class Patience {
 public:
  explicit Patience(bool retries) : retries_(retries) {}

  // Makes a call until it is over, well or not.
  template <typename MakeCall>
  auto Call(const MakeCall& call) {
    while (true) {
      auto result = call();
      if (Accepts(result.status())) return result;
    }
  }

 private:
  // Tells whether a call that ended with this status is over. If it is to be made again, returns false after a pause.
  bool Accepts(const absl::Status& status) {
    if (!retries_ || !IsUnanswered(status) || Interrupted()) {
      if (status.ok() && pause_ > kFirstPause) std::fprintf(stderr, "rondo: the server answers again\n");
      pause_ = kFirstPause;
      return true;
    }
    // The pause is random, so that clients who failed together come back one by one.
    const absl::Duration pause = pause_ * absl::Uniform(random_, 0.5, 1.0);
    std::fprintf(stderr, "rondo: no answer (%s); trying again in %.1f s\n",
                 absl::StatusCodeToString(status.code()).c_str(), absl::ToDoubleSeconds(pause));
    pause_ = std::min(2 * pause_, kLongestPause);
    return !PauseFor(pause);
  }

  static bool IsUnanswered(const absl::Status& status) {
    return absl::IsUnavailable(status) || absl::IsAborted(status) || absl::IsDeadlineExceeded(status) ||
           absl::IsCancelled(status);
  }

  const bool retries_;
  absl::Duration pause_ = kFirstPause;
  absl::BitGen random_;
};

absl::Status Run(const CommandContext& context, const Options& options) {
  Patience patience(options.retry);
  absl::StatusOr<Target> target = patience.Call([&] { return OpenTarget(context, options.session); });
  if (!target.ok()) return target.status();
  RemarkPosition(context, *target->session);
  absl::StatusOr<InputTable> table = OpenTable("-", target->model, options.table);
  if (!table.ok()) return table.status();

  absl::Status status = WriteHeader(context, target->model, table->mapping.LeadingColumns());
  CsvRow row;
  while (status.ok() && (status = context.output.Flush()).ok()) {
    const absl::StatusOr<bool> found = table->Next(&row);
    if (!found.ok() || !*found) return found.status();
    Timesteps timesteps;
    const int64_t odd_steps = table->mapping.odd_steps();
    status = table->mapping.Append(row, &timesteps);
    if (!status.ok()) return status;
    if (table->mapping.odd_steps() > odd_steps) {
      std::fprintf(stderr, "rondo: %s\n", table->mapping.last_odd_step().c_str());
    }
    // A step that is sent again has the position and values it had, so the server runs it once.
    const absl::StatusOr<std::vector<float>> values =
        patience.Call([&] { return target->session->Run(timesteps.values, timesteps.times); });
    if (!values.ok()) return values.status();
    status =
        WritePredictions(context, target->model, options.table.series, {table->mapping.LeadingCells(row)}, *values);
  }
  return status;
}

}  // namespace

Command StreamCommand() {
  auto options = std::make_shared<Options>();
  return {"stream",
          {"MODEL"},
          {Required(SessionOption(&options->session)),
           TimeOption(&options->table.time_column),
           SeriesOption(&options->table.series),
           OddStepsOption(&options->table.odd_step),
           {"retry", Switch(&options->retry), "Wait for a server that does not answer."}},
          "A row in on stdin, a prediction out, at once.",
          kDescription,
          [options](const CommandContext& context) { return Run(context, *options); }};
}

}  // namespace rondo
