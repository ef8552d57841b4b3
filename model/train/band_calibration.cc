#include "model/train/band_calibration.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/compute_thread.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

constexpr int64_t kPaths = 200, kMostOrigins = 150, kLeastOrigins = 20;
constexpr double kBand = 0.8;
constexpr int64_t kSmoothedSteps = 2;  // on either side: neighbouring steps need much the same

// Returns the input that each output is fed back into; nothing if an output of a gaussian head is not fed back. Other
// inputs are known of the steps ahead.
std::optional<std::vector<size_t>> FedBackInputs(const ModelSpec& spec) {
  if (spec.head != Head::kGaussian || spec.horizon != 1 || spec.tokens > 0) return std::nullopt;
  std::vector<size_t> inputs;
  for (const OutputFeature& output : spec.outputs) {
    const auto link = std::find_if(spec.feedback.begin(), spec.feedback.end(),
                                   [&](const auto& f) { return f.output == output.name; });
    if (link == spec.feedback.end()) return std::nullopt;
    const auto input =
        std::find_if(spec.inputs.begin(), spec.inputs.end(), [&](const auto& f) { return f.name == link->input; });
    inputs.push_back(input - spec.inputs.begin());
  }
  return inputs;
}

// Returns the least value that at least this part of all values are at most.
double LeastThatCovers(std::vector<double> values, double part) {
  const double count = static_cast<double>(values.size());
  const auto place = static_cast<int64_t>(std::clamp(std::ceil(part * count) - 1, 0.0, count - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[place];
}

// Returns a quantile of ascending values as a server does: interpolated.
double QuantileOf(const std::vector<double>& sorted, double quantile) {
  const double place = quantile * static_cast<double>(sorted.size() - 1), share = place - std::floor(place);
  const auto below = static_cast<size_t>(place);
  return sorted[below] + share * (sorted[std::min(below + 1, sorted.size() - 1)] - sorted[below]);
}

// Samples paths from origins of the validation part, and notes how many half bands away what came lies.
class Sampler {
 public:
  Sampler(const Dataset& dataset, const Network& network, std::vector<size_t> fed_back, int64_t steps, uint64_t seed)
      : dataset_(dataset),
        network_(network),
        spec_(network.spec()),
        fed_back_(std::move(fed_back)),
        steps_(steps),
        random_(seed, /*stream=*/0xba2d5),
        validation_(steps * spec_.outputs.size()),
        all_(steps * spec_.outputs.size()) {}

  // Goes through a series up to the end of a part of it, and samples from every `stride`th of its timesteps.
  void Add(const Segment& part, int64_t stride, bool is_validation) {
    is_validation_ = is_validation;
    std::vector<float> state(spec_.state_size()), output(spec_.output_size());
    const Series& series = dataset_.set().series[part.series];
    for (int64_t t = 0; t + steps_ < part.end + 1; ++t) {
      StepRow row;
      row.input = &series.values[t * dataset_.set().columns.size()];
      row.time = TimeAt(series, t);
      row.state_in = row.state_out = state.data();
      row.output = output.data();
      network_.Step(absl::MakeSpan(&row, 1));
      if (t >= part.begin && (t - part.begin) % stride == 0) SamplePaths(part.series, t, state, output);
    }
  }

  // Far ahead, the forecasts of a validation part overlap so much that they are few: how the factors change with the
  // steps is taken from the training part too, and their size from the first steps of the validation part.
  std::vector<double> Factors() const {
    std::vector<double> factors;
    for (int64_t step = 0; step < steps_; ++step) {
      for (size_t i = 0; i < spec_.outputs.size(); ++i) {
        if (static_cast<int64_t>(Distances(validation_, step, i).size()) < kLeastOrigins) return {};
        const double size = FactorOf(validation_, 0, i) / FactorOf(all_, 0, i);
        factors.push_back(std::clamp(size * FactorOf(all_, step, i), 0.05, 1000.0));
      }
    }
    return factors;
  }

 private:
  using DistancesByStep = std::vector<std::vector<double>>;  // [steps][outputs], one an origin

  const std::vector<double>& Distances(const DistancesByStep& all, int64_t step, size_t output) const {
    return all[step * spec_.outputs.size() + output];
  }

  double FactorOf(const DistancesByStep& all, int64_t step, size_t output) const {
    std::vector<double> near;
    for (int64_t at = std::max<int64_t>(0, step - kSmoothedSteps); at <= std::min(steps_ - 1, step + kSmoothedSteps);
         ++at) {
      const std::vector<double>& its = Distances(all, at, output);
      near.insert(near.end(), its.begin(), its.end());
    }
    const auto count = static_cast<double>(Distances(all, step, output).size());
    return std::max(1e-6, LeastThatCovers(std::move(near), kBand * (1 + 1 / count)));
  }

  static int64_t TimeAt(const Series& series, int64_t t) {
    return series.times.empty() ? 0 : UnixSeconds(series.times[t]);
  }

  void SamplePaths(size_t series, int64_t origin, const std::vector<float>& state, const std::vector<float>& output) {
    const size_t outputs = spec_.outputs.size(), columns = dataset_.set().columns.size();
    std::vector<std::vector<float>> states(kPaths, state), answers(kPaths, output), values(kPaths);
    for (int64_t step = 1; step <= steps_; ++step) {
      std::vector<StepRow> rows(kPaths);
      const float* const known = &dataset_.set().series[series].values[(origin + step) * columns];
      for (std::vector<float>& value : values) value.assign(known, known + spec_.inputs.size());
      for (size_t i = 0; i < outputs; ++i) {
        std::vector<double> sampled;
        for (int64_t path = 0; path < kPaths; ++path) {
          const double value = answers[path][2 * i] + answers[path][2 * i + 1] * random_.Normal();
          values[path][fed_back_[i]] = static_cast<float>(value);
          sampled.push_back(value);
        }
        std::sort(sampled.begin(), sampled.end());
        Note(series, origin, step, i, sampled);
      }
      for (int64_t path = 0; path < kPaths; ++path) {
        StepRow& row = rows[path];
        row.input = values[path].data();
        row.time = TimeAt(dataset_.set().series[series], origin + step);
        row.state_in = row.state_out = states[path].data();
        row.output = answers[path].data();
      }
      if (step < steps_) network_.Step(absl::MakeSpan(rows));
    }
  }

  void Note(size_t series, int64_t origin, int64_t step, size_t output, const std::vector<double>& sampled) {
    const size_t column = dataset_.target_column(output);
    if (!dataset_.present(series, origin + step, column)) return;
    const double median = QuantileOf(sampled, 0.5), low = QuantileOf(sampled, (1 - kBand) / 2),
                 high = QuantileOf(sampled, (1 + kBand) / 2);
    const double half = dataset_.value(series, origin + step, column) < median ? median - low : high - median;
    const double distance = std::abs(dataset_.value(series, origin + step, column) - median);
    if (!std::isfinite(half) || half <= 0) return;
    const size_t place = (step - 1) * spec_.outputs.size() + output;
    all_[place].push_back(distance / half);
    if (is_validation_) validation_[place].push_back(distance / half);
  }

  const Dataset& dataset_;
  const Network& network_;
  const ModelSpec& spec_;
  const std::vector<size_t> fed_back_;
  const int64_t steps_;
  Random random_;
  bool is_validation_ = false;
  DistancesByStep validation_, all_;  // half bands from the median to what came
};

}  // namespace

absl::StatusOr<std::vector<double>> CalibrateBands(const Dataset& dataset, const Network& network, int64_t steps,
                                                   uint64_t seed) {
  std::optional<std::vector<size_t>> fed_back = FedBackInputs(network.spec());
  if (!fed_back.has_value()) return std::vector<double>();
  PrepareComputeThread();
  steps = std::min(steps, dataset.longest_segment(Dataset::kValidation) / 3);
  if (steps < 1) return std::vector<double>();
  Sampler sampler(dataset, network, *std::move(fed_back), steps, seed);
  for (const Dataset::Part part : {Dataset::kTraining, Dataset::kValidation}) {
    const int64_t stride = std::max<int64_t>(1, dataset.timesteps(part) / kMostOrigins);
    for (const Segment& segment : dataset.segments(part)) sampler.Add(segment, stride, part == Dataset::kValidation);
  }
  return sampler.Factors();
}

}  // namespace rondo::train
