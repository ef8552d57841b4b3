#include "server/serve/forecast.h"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/or_out_of_memory.h"

namespace rondo {
namespace {

// The most numbers that are sorted in one turn of the loop, which takes some 0.5 ms: live steps come in between.
constexpr size_t kNumbersPerTurn = 10'000;

absl::Span<const double> QuantilesOf(const ForecastView& request) {
  static constexpr double kUsual[] = {0.1, 0.5, 0.9};
  return request.path_quantiles.empty() ? absl::MakeConstSpan(kUsual) : request.path_quantiles;
}

}  // namespace

void Forecast::Start(const ForecastView& request, absl::Time now, absl::Time deadline) {
  request_ = request;
  Begin({request.model, request.version, request.session_id}, now, deadline);
}

absl::Status Forecast::CheckRequest() {
  const size_t most = context().limits.max_timesteps;
  if (request_.horizon >= 1 && request_.horizon <= static_cast<int64_t>(most)) return absl::OkStatus();
  return Invalid("horizon is ", request_.horizon, "; wanted 1 to ", most);
}

absl::Status Forecast::Open() {
  if (request_.session_id.empty()) return StartFromHistory();
  if (request_.history.empty()) return AcquireSession();
  return absl::InvalidArgumentError("both session_id and history are given; a forecast starts from one of them");
}

absl::Status Forecast::StartFrom(SessionLease session) {
  if (session.position() == 0) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id,
                                               "' has no timestep yet; a forecast needs at least one"));
  }
  position_ = session.position();
  last_time_ = session.last_time();
  const absl::Status status = RunPaths(session.last_time(), session.state(), session.last_output());
  session.Release(arrived());
  return status;
}

absl::Status Forecast::StartFromHistory() {
  const Model& taken = *model()->model;
  absl::Status status = CheckTimesteps(request_.history, request_.history_times, taken, context().limits.max_timesteps);
  if (!status.ok()) return status;
  position_ = static_cast<int64_t>(request_.history.size()) / taken.spec().input_size();
  if (!request_.history_times.empty()) last_time_ = request_.history_times.back();
  return RunPaths(std::nullopt, nullptr, {});
}

absl::Status Forecast::RunPaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given) {
  const absl::Status made = OrOutOfMemory([&] { return MakePaths(last_time, state, given); });
  if (!made.ok()) return made;
  unfinished_paths_ = paths_.size() + 1;  // one more, so that it ends after the last has started
  for (const std::unique_ptr<ForecastPath>& path : paths_) {
    path->TimeFirstStep(first_step_at());
    const absl::Status status =
        OrOutOfMemory([&] { return path->Start(context().engine, owner()->flow(), arrived(), deadline()); });
    if (!status.ok()) OnPathDone(status);
  }
  OnPathDone(absl::OkStatus());
  return absl::OkStatus();
}

absl::Status Forecast::MakePaths(std::optional<int64_t> last_time, const float* state, absl::Span<const float> given) {
  absl::Status status = CheckPaths(request_, *model()->model, context().limits.max_message_bytes);
  if (!status.ok()) return status;
  const size_t history = request_.history.size() / static_cast<size_t>(model()->spec().input_size());
  const Work work = WorkOfPaths(request_, model()->spec(), history + static_cast<size_t>(request_.horizon) - 1);
  if (status = TakeWork(work); !status.ok()) return status;
  absl::StatusOr<ForecastPlan> plan = ForecastPlan::Make(request_, *model()->model, last_time);
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  const bool sampling = request_.num_paths > 0;
  const size_t num_paths = sampling ? static_cast<size_t>(request_.num_paths) : 1;
  const uint64_t seed = request_.seed != 0 ? request_.seed : std::random_device()();
  for (size_t i = 0; i < num_paths; ++i) {
    SessionLease scratch = context().sessions->AcquireStateless(model());
    if (state != nullptr) std::copy_n(state, model()->spec().state_size(), scratch.state());
    const std::optional<uint64_t> path_seed = sampling ? std::optional<uint64_t>(seed + i) : std::nullopt;
    paths_.push_back(std::make_unique<ForecastPath>(&*plan_, std::move(scratch), given, path_seed,
                                                    static_cast<FeedbackPath::Owner*>(this)));
  }
  return absl::OkStatus();
}

void Forecast::OnPathDone(const absl::Status& status) {
  if (!status.ok() && path_status_.ok()) {
    path_status_ = status;
    CancelPaths();
  }
  if (--unfinished_paths_ > 0) return;
  NoteComputed();
  path_status_.ok() ? TakeValues() : Finish(path_status_);
}

void Forecast::CancelPaths() {
  for (const std::unique_ptr<ForecastPath>& path : paths_) path->Cancel();
}

void Forecast::TakeValues() {
  if (request_.num_paths == 0) {
    values_ = paths_.front()->values();
    return Finish(absl::OkStatus());
  }
  const absl::Status status = OrOutOfMemory([this] {
    for (const std::unique_ptr<ForecastPath>& path : paths_) points_.push_back(path->values());
    quantiles_.reserve(points_.front().size() * QuantilesOf(request_).size());
    return absl::OkStatus();
  });
  if (!status.ok()) return Finish(status);
  context().poster->Post(continuation());
}

void Forecast::TakeQuantiles() {
  if (cancelled()) return Finish(CancelledByClient());
  const size_t begin = columns_;
  columns_ = std::min(points_.front().size(), begin + kNumbersPerTurn / points_.size() + 1);
  AppendQuantiles(points_, QuantilesOf(request_), model()->spec(), begin, columns_, &quantiles_);
  if (columns_ < points_.front().size()) return context().poster->Post(continuation());
  values_ = quantiles_;
  Finish(absl::OkStatus());
}

}  // namespace rondo
