#include "server/serve/forecast_plan.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"

namespace rondo {
namespace {

template <typename Features>
size_t IndexOf(const Features& features, absl::string_view name) {
  const auto found = std::find_if(features.begin(), features.end(), [&](const auto& f) { return f.name == name; });
  return static_cast<size_t>(found - features.begin());
}

}  // namespace

absl::StatusOr<ForecastPlan> ForecastPlan::Make(const ForecastView& request, const Model& model,
                                                std::optional<int64_t> last_time) {
  ForecastPlan plan;
  plan.input_size_ = static_cast<size_t>(model.spec().input_size());
  plan.history_timesteps_ = request.history.size() / plan.input_size_;
  plan.timesteps_ = plan.history_timesteps_ + static_cast<size_t>(request.horizon) - 1;
  for (const FeedbackLink& link : model.spec().feedback) {
    plan.feedback_.emplace_back(IndexOf(model.spec().outputs, link.output), IndexOf(model.spec().inputs, link.input));
  }
  if (absl::Status status = plan.PlanInputs(request, model); !status.ok()) return status;
  if (absl::Status status = plan.PlanTimes(request, model, last_time); !status.ok()) return status;
  return plan;
}

absl::Status ForecastPlan::PlanInputs(const ForecastView& request, const Model& model) {
  const size_t future = static_cast<size_t>(request.horizon) - 1;
  const size_t known = request.known_inputs.size();
  const auto fed_back = std::make_unique<bool[]>(input_size_);
  for (const auto& [output, input] : feedback_) fed_back[input] = true;
  for (size_t i = 0; i < model.spec().inputs.size() && known == 0; ++i) {
    fed_back[i] = fed_back[i] || model.spec().inputs[i].source.remembered;  // 0 will do
  }
  const absl::Span<const bool> ignored(fed_back.get(), input_size_);

  if (known == 0 && future > 0) {
    const size_t missing = static_cast<size_t>(std::find(ignored.begin(), ignored.end(), false) - ignored.begin());
    if (missing < input_size_) {
      const std::string name =
          model.spec().tokens > 0 ? "the token" : absl::StrCat("'", model.spec().inputs[missing].name, "'");
      return Refuse(Why::kPosition, absl::StrCat("the forecast lacks input ", name, ": model '", model.name,
                                                 "' does not feed it back, so known_inputs must give it"));
    }
  } else if (known != future * input_size_) {
    return Invalid("known_inputs has ", known, " floats; horizon ", request.horizon, " takes ", future,
                   " timesteps of input_size=", input_size_);
  }
  if (absl::Status status = CheckValues(request.known_inputs, model, ignored); !status.ok()) return status;
  inputs_.reserve(timesteps_ * input_size_);
  inputs_.assign(request.history.begin(), request.history.end());
  inputs_.insert(inputs_.end(), request.known_inputs.begin(), request.known_inputs.end());
  inputs_.resize(timesteps_ * input_size_, 0.0f);
  return absl::OkStatus();
}

absl::Status ForecastPlan::PlanTimes(const ForecastView& request, const Model& model,
                                     std::optional<int64_t> last_time) {
  const size_t future = static_cast<size_t>(request.horizon) - 1;
  const size_t known = request.known_times.size();
  if (known != 0 && known != future) {
    return Invalid("known_times has ", known, " entries; horizon ", request.horizon, " takes ", future);
  }
  if (!model.spec().needs_times()) return absl::OkStatus();
  if (absl::Status status = CheckYears(request.known_times); !status.ok()) return status;
  times_.assign(request.history_times.begin(), request.history_times.end());
  if (!times_.empty()) last_time = times_.back();
  times_.insert(times_.end(), request.known_times.begin(), request.known_times.end());
  if (times_.size() == timesteps_) return absl::OkStatus();
  if (!last_time.has_value() || model.spec().step_seconds <= 0) {
    return Refuse(Why::kPosition, absl::StrCat("the forecast lacks times: model '", model.name,
                                               "' needs them, so known_times must give ", future));
  }
  const CalendarStep& step = model.spec().table.step;
  const absl::TimeZone zone = ReadingOf(model.spec().table).value_or(TimeReading()).zone;  // Validate has found it
  for (size_t k = 1; k <= future; ++k) {
    const auto steps = static_cast<int64_t>(k);
    times_.push_back(step.known() ? AddSteps(step, zone, *last_time * 1'000'000, steps) / 1'000'000
                                  : *last_time + std::llround(model.spec().step_seconds * static_cast<double>(k)));
  }
  return absl::OkStatus();
}

void ForecastPlan::WriteInputs(size_t timestep, absl::Span<const float> points, float* row) const {
  std::copy_n(inputs_.data() + timestep * input_size_, input_size_, row);
  if (points.empty()) return;
  for (const auto& [from, to] : feedback_) row[to] = points[from];
}

}  // namespace rondo
