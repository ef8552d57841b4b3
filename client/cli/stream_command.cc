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

constexpr char kStreamDescription[] =
    R"(Reads CSV rows from stdin and answers each one at once. The table is as in 'rondo predict --help'. A
step that meets a broken connection is sent again, and never runs twice: until --timeout, or with
--retry for as long as it takes. Then a server may restart, or hand its sessions to another one of
the list, and each row is still answered once, in order.
A session that has ended, as one that was idle for too long, has no state to go on from: then
nothing runs, and the exit code is 3. With --anew it begins again at zero state.

examples:
  ./read-sensor | rondo stream machine --session=pump-7 --retry
  tail -n +1 -f measured.csv | rondo stream seattle --session=my-town | ./act
)";

struct StreamCommandOptions {
  std::string session;
  RowMapping::Options table;
  bool retry = false;
  bool anew = false;
  absl::Duration idle_timeout;  // zero: the server's default
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

// Tells whether a refusal is of a session that has ended; of an id that nobody has used the server says that it would
// begin at position 0.
bool HasEnded(const absl::Status& refusal) {
  return absl::IsNotFound(refusal) && !refusal.GetPayload("rondo-next-position").has_value();
}

// Refuses to begin a session that has ended anew without being told to, and begins a new one with the idle timeout that
// is asked for.
absl::Status Begin(const CommandContext& context, const StreamCommandOptions& options, Patience* patience) {
  const auto found = patience->Call([&] { return context.client.GetSession(options.session); });
  if (HasEnded(found.status())) {
    const std::string ended(found.status().message());
    if (!options.anew) {
      return ExitsWith(kAnewExitCode,
                       absl::NotFoundError(absl::StrCat(ended, "; --anew begins it again, at zero state")));
    }
    std::fprintf(stderr, "rondo: %s; it begins anew at zero state\n", ended.c_str());
  }
  if (options.idle_timeout == absl::ZeroDuration()) return absl::OkStatus();
  if (!found.ok()) {
    CreateSessionInput session;
    session.model = context.words[0];
    session.session_id = options.session;
    session.idle_timeout = options.idle_timeout;
    return absl::IsNotFound(found.status()) ? context.client.CreateSession(session).status() : found.status();
  }
  if (found->idle_timeout != options.idle_timeout) {
    std::fprintf(stderr, "rondo: session '%s' lives, and keeps its idle timeout of %s\n", options.session.c_str(),
                 absl::FormatDuration(found->idle_timeout).c_str());
  }
  return absl::OkStatus();
}

absl::Status RunStream(const CommandContext& context, const StreamCommandOptions& options) {
  Patience patience(options.retry);
  if (absl::Status status = Begin(context, options, &patience); !status.ok()) return status;
  absl::StatusOr<Target> target = patience.Call([&] { return OpenTarget(context, options.session); });
  if (!target.ok()) return target.status();
  RemarkPosition(context, *target->session);
  absl::StatusOr<InputTable> table = OpenTable("-", target->model, options.table);
  if (!table.ok()) return table.status();

  absl::Status status = WriteHeader(context, target->model, table->mapping.LeadingColumns());
  CsvRow row;
  while (status.ok() && (status = context.output.Flush()).ok()) {
    const absl::StatusOr<bool> found = table->Next(&row);
    if (found.ok() && !*found) table->RemarkWaiting();
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
  auto options = std::make_shared<StreamCommandOptions>();
  return {
      "stream",
      {"MODEL"},
      {Required(SessionOption(&options->session)),
       TimeOption(&options->table.time_column),
       SeriesOption(&options->table.series),
       OddStepsOption(&options->table.odd_step),
       {"retry", Switch(&options->retry), "Wait for a server that does not answer."},
       {"anew", Switch(&options->anew), "Begin a session that has ended again, at zero state."},
       {"idle_timeout", Number(&options->idle_timeout, {absl::ZeroDuration(), absl::InfiniteDuration()}, "DURATION"),
        "A new session ends when it is idle for so long; inf: never, if the server allows it. 0: its default."}},
      "A row in on stdin, a prediction out, at once.",
      kStreamDescription,
      [options](const CommandContext& context) { return RunStream(context, *options); }};
}

}  // namespace rondo
