#include "server/serve/forecast_path.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/metrics/metrics.h"

namespace rondo {
namespace {

// Which of an output's numbers is fed back where nothing is sampled: the mean, or the quantile nearest the median.
size_t PointOf(const ModelSpec& spec) {
  const auto nearest = std::min_element(spec.quantiles.begin(), spec.quantiles.end(),
                                        [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); });
  return static_cast<size_t>(nearest - spec.quantiles.begin());
}

}  // namespace

ForecastPath::ForecastPath(ForecastPlan plan, SessionLease scratch, absl::Span<const float> given,
                           std::optional<uint64_t> seed, Owner* owner)
    : plan_(std::move(plan)),
      scratch_(std::move(scratch)),
      owner_(owner),
      sampling_(seed.has_value()),
      random_(seed.value_or(0)),
      given_rows_(given.empty() ? 0 : 1),
      outputs_(given.begin(), given.end()) {
  const auto output_size = static_cast<size_t>(scratch_.model()->spec().output_size());
  outputs_.resize((given_rows_ + plan_.timesteps()) * output_size);
  if (given.empty()) return;
  AddPoints(absl::MakeConstSpan(outputs_).first(output_size));
  if (plan_.timesteps() > 0) plan_.FeedBack(points_, 0);
}

absl::Status ForecastPath::Start(StepEngine* engine, absl::Time now, absl::Time deadline) {
  if (plan_.timesteps() == 0) {
    owner_->OnPathDone(absl::OkStatus());
    return absl::OkStatus();
  }
  const ServedModelPtr& model = scratch_.model();
  run_.network = model->model->network.get();
  run_.probe = &model->metrics->loop;
  run_.observer = this;
  run_.timesteps = plan_.timesteps();
  run_.inputs = plan_.inputs().data();
  run_.times = plan_.times().empty() ? nullptr : plan_.times().data();
  run_.outputs = outputs_.data() + given_rows_ * static_cast<size_t>(model->spec().output_size());
  run_.observe_steps = true;
  run_.first_state = run_.working_state = run_.final_state = scratch_.state();
  run_.admitted = now;
  run_.deadline = deadline;
  return engine->Admit(&run_);
}

void ForecastPath::OnStep(SequenceRun* run, size_t step) {
  if (step + 1 < plan_.history_timesteps()) return;
  const ModelSpec& spec = scratch_.model()->spec();
  const auto output_size = static_cast<size_t>(spec.output_size());
  const size_t points = output_size / static_cast<size_t>(spec.values_per_output());
  AddPoints(absl::MakeConstSpan(run->outputs + step * output_size, output_size));
  plan_.FeedBack(absl::MakeConstSpan(points_).last(points), step + 1);
}

void ForecastPath::OnFinished(SequenceRun* run, const absl::Status& status) {
  const auto output_size = static_cast<size_t>(scratch_.model()->spec().output_size());
  if (status.ok()) AddPoints(absl::MakeConstSpan(run->outputs + (run->timesteps - 1) * output_size, output_size));
  owner_->OnPathDone(status);
}

void ForecastPath::AddPoints(absl::Span<const float> output) {
  const ModelSpec& spec = scratch_.model()->spec();
  const auto values = static_cast<size_t>(spec.values_per_output());
  const size_t point = PointOf(spec);
  for (size_t i = 0; i < output.size(); i += values) {
    points_.push_back(sampling_ ? output[i] + output[i + 1] * normal_(random_) : output[i + point]);
  }
}

absl::Span<const float> ForecastPath::Outputs(size_t horizon) const {
  return absl::MakeConstSpan(outputs_).last(horizon * static_cast<size_t>(scratch_.model()->spec().output_size()));
}

absl::Span<const float> ForecastPath::Points(size_t horizon) const {
  const ModelSpec& spec = scratch_.model()->spec();
  return absl::MakeConstSpan(points_).last(horizon *
                                           static_cast<size_t>(spec.output_size() / spec.values_per_output()));
}

std::vector<float> PathQuantiles(absl::Span<const absl::Span<const float>> paths, absl::Span<const double> quantiles) {
  std::vector<float> result;
  std::vector<float> sorted(paths.size());
  for (size_t column = 0; column < paths.front().size(); ++column) {
    std::transform(paths.begin(), paths.end(), sorted.begin(), [column](const auto& path) { return path[column]; });
    std::sort(sorted.begin(), sorted.end());
    for (const double quantile : quantiles) {
      const double place = quantile * static_cast<double>(sorted.size() - 1);
      const auto below = static_cast<size_t>(place);
      const size_t above = std::min(below + 1, sorted.size() - 1);
      const auto share = static_cast<float>(place - std::floor(place));
      result.push_back(sorted[below] + share * (sorted[above] - sorted[below]));
    }
  }
  return result;
}

}  // namespace rondo
