#include "server/serve/forecast_path.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

constexpr int64_t kMaxPaths = 1000;
constexpr double kMaxPathBytes = 256 << 20;  // inputs and outputs of all paths of one forecast

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

absl::Status ForecastPath::Start(StepEngine* engine, Flow* flow, absl::Time now, absl::Time deadline) {
  if (plan_.timesteps() == 0) {
    owner_->OnPathDone(absl::OkStatus());
    return absl::OkStatus();
  }
  const ServedModelPtr& model = scratch_.model();
  run_.network = model->model->network.get();
  run_.probe = &model->metrics->loop;
  run_.observer = this;
  run_.flow = flow;
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

absl::Status CheckPaths(const ForecastView& request, const Model& model, size_t timesteps, size_t max_reply_bytes) {
  const ModelSpec& spec = model.spec();
  if (request.num_paths != 0 && (request.num_paths < 2 || request.num_paths > kMaxPaths)) {
    return absl::InvalidArgumentError(
        absl::StrCat("num_paths is ", request.num_paths, "; wanted 2 to ", kMaxPaths, ", or 0 to sample none"));
  }
  if (request.num_paths != 0 && spec.head != Head::kGaussian) {
    return Refuse(Why::kPosition, absl::StrCat("model '", model.name, "' has a ", HeadName(spec.head),
                                               " head; only a gaussian one can sample paths"));
  }
  double last = 0;
  for (const double quantile : request.path_quantiles) {
    if (!(quantile > last && quantile < 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a path quantile is ", quantile, "; wanted ascending numbers inside (0, 1)"));
    }
    last = quantile;
  }
  const double values_per_output = static_cast<double>(std::max<size_t>(1, request.path_quantiles.size()));
  const double reply_bytes = static_cast<double>(request.horizon) * static_cast<double>(spec.output_size()) *
                             values_per_output * sizeof(float);
  const double path_bytes = static_cast<double>(timesteps) *
                            static_cast<double>(std::max<int64_t>(1, request.num_paths)) *
                            static_cast<double>(spec.output_size() + spec.input_size()) * sizeof(float);
  if (reply_bytes <= static_cast<double>(max_reply_bytes) && path_bytes <= kMaxPathBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the forecast is too large: a reply of ", reply_bytes,
                                                 " bytes, at most ", max_reply_bytes, "; paths of ", path_bytes,
                                                 " bytes, at most ", kMaxPathBytes));
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
