#include "server/serve/forecast_path.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"

namespace rondo {
namespace {

constexpr int64_t kMaxPaths = 1000;

// Returns which of an output's numbers is fed back where nothing is sampled: the mean, or the quantile nearest the
// median.
size_t PointOf(const ModelSpec& spec) {
  const auto nearest = std::min_element(spec.quantiles.begin(), spec.quantiles.end(),
                                        [](double a, double b) { return std::abs(a - 0.5) < std::abs(b - 0.5); });
  return static_cast<size_t>(nearest - spec.quantiles.begin());
}

}  // namespace

ForecastPath::ForecastPath(const ForecastPlan* plan, SessionLease scratch, absl::Span<const float> given,
                           std::optional<uint64_t> seed, Owner* owner)
    : FeedbackPath(std::move(scratch), plan->timesteps(), owner),
      plan_(plan),
      sampling_(seed.has_value()),
      random_(seed.value_or(0)) {
  const auto output_size = static_cast<size_t>(spec().output_size());
  const size_t outputs = output_size / static_cast<size_t>(spec().values_per_output());
  points_.reserve(outputs);
  values_.reserve(plan_->horizon() * (sampling_ ? outputs : output_size));
  SetTimes(plan_->times().empty() ? nullptr : plan_->times().data());
  if (!given.empty()) TakeRow(given);
  if (plan_->timesteps() > 0) plan_->WriteInputs(0, points_, input());
}

void ForecastPath::TakeOutput(size_t timestep, bool last) {
  if (last || timestep + 1 >= plan_->history_timesteps()) TakeRow(output());
  if (!last) plan_->WriteInputs(timestep + 1, points_, input());
}

void ForecastPath::TakeRow(absl::Span<const float> output) {
  const auto values = static_cast<size_t>(spec().values_per_output());
  const size_t point = PointOf(spec());
  points_.clear();
  for (size_t i = 0; i < output.size(); i += values) {
    points_.push_back(sampling_ ? output[i] + output[i + 1] * normal_(random_) : output[i + point]);
  }
  const absl::Span<const float> taken = sampling_ ? absl::MakeConstSpan(points_) : output;
  values_.insert(values_.end(), taken.begin(), taken.end());
}

absl::Status CheckPaths(const ForecastView& request, const Model& model, size_t max_reply_bytes) {
  const ModelSpec& spec = model.spec();
  if (absl::Status status = CheckSteps(model); !status.ok()) return status;
  if (request.num_paths != 0 && (request.num_paths < 2 || request.num_paths > kMaxPaths)) {
    return Invalid("num_paths is ", request.num_paths, "; wanted 2 to ", kMaxPaths, ", or 0 to sample none");
  }
  if (request.num_paths != 0 && spec.head != Head::kGaussian) {
    return Refuse(Why::kPosition, absl::StrCat("model '", model.name, "' has a ", HeadName(spec.head),
                                               " head; only a gaussian one can sample paths"));
  }
  double last = 0;
  for (const double quantile : request.path_quantiles) {
    if (!(quantile > last && quantile < 1)) {
      return Invalid("a path quantile is ", quantile, "; wanted ascending numbers inside (0, 1)");
    }
    last = quantile;
  }
  const double values_per_output = static_cast<double>(std::max<size_t>(1, request.path_quantiles.size()));
  const double reply_bytes = static_cast<double>(request.horizon) * static_cast<double>(spec.output_size()) *
                             values_per_output * sizeof(float);
  if (reply_bytes <= static_cast<double>(max_reply_bytes)) return absl::OkStatus();
  return Invalid("the forecast is too large: a reply of ", reply_bytes, " bytes, at most ", max_reply_bytes);
}

Work WorkOfPaths(const ForecastView& request, const ModelSpec& spec, size_t timesteps) {
  const size_t paths = static_cast<size_t>(std::max<int64_t>(1, request.num_paths));
  const size_t horizon = static_cast<size_t>(request.horizon);
  const auto input_size = static_cast<size_t>(spec.input_size());
  const auto output_size = static_cast<size_t>(spec.output_size());
  const size_t kept =
      request.num_paths == 0 ? output_size : output_size / static_cast<size_t>(spec.values_per_output());
  const size_t row = input_size + 2 * output_size + 2 * static_cast<size_t>(spec.state_size());
  const size_t quantiles = request.num_paths == 0 ? 1 : std::max<size_t>(3, request.path_quantiles.size());
  Work work;
  work.steps = timesteps * paths;
  work.bytes = paths * (sizeof(ForecastPath) + (horizon * kept + row) * sizeof(float)) +
               timesteps * (input_size * sizeof(float) + sizeof(int64_t)) +
               2 * horizon * output_size * quantiles * sizeof(float);  // here, and in the reply
  return work;
}

double BandFactor(const ModelSpec& spec, size_t column) {
  const std::vector<double>& factors = spec.band_factors;
  if (column < factors.size() || factors.empty()) return factors.empty() ? 1 : factors[column];
  return factors[factors.size() - spec.outputs.size() + column % spec.outputs.size()];
}

void AppendQuantiles(absl::Span<const absl::Span<const float>> paths, absl::Span<const double> quantiles,
                     const ModelSpec& spec, size_t begin, size_t end, std::vector<float>* result) {
  std::vector<float> sorted(paths.size());
  const auto quantile_of = [&sorted](double quantile) {
    const double place = quantile * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<size_t>(place);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    const auto share = static_cast<float>(place - std::floor(place));
    return sorted[below] + share * (sorted[above] - sorted[below]);
  };
  for (size_t column = begin; column < end; ++column) {
    std::transform(paths.begin(), paths.end(), sorted.begin(), [column](const auto& path) { return path[column]; });
    std::sort(sorted.begin(), sorted.end());
    const auto factor = static_cast<float>(BandFactor(spec, column));
    const float median = quantile_of(0.5);
    for (const double quantile : quantiles) {
      const float value = quantile_of(quantile);
      result->push_back(factor == 1 ? value : median + factor * (value - median));
    }
  }
}

}  // namespace rondo
