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
// So many forecasts that do not overlap tell a part of 80 % to within 3 %.
constexpr double kSureForecasts = 200;

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

  // Goes through a series up to the end of a part of it, and samples from one of every `stride` of its timesteps; one
  // of every `all_stride` counts among all timesteps. Which one is random: of a season each step is seen.
  void Add(const Segment& part, int64_t stride, int64_t all_stride, bool is_validation) {
    is_validation_ = is_validation;
    std::vector<float> state(spec_.state_size()), output(spec_.output_size());
    const Series& series = dataset_.set().series[part.series];
    int64_t origin = part.begin + random_.Below(stride);
    for (int64_t t = 0; t + steps_ < part.end + 1; ++t) {
      StepRow row;
      row.input = &series.values[t * dataset_.set().columns.size()];
      row.time = TimeAt(series, t);
      row.state_in = row.state_out = state.data();
      row.output = output.data();
      network_.Step(absl::MakeSpan(&row, 1));
      if (t != origin) continue;
      counts_among_all_ = random_.Below(all_stride / stride) == 0;
      SamplePaths(part.series, t, state, output);
      origin = part.begin + ((t - part.begin) / stride + 1) * stride + random_.Below(stride);
    }
  }

  // The validation part, which the network has not learned, tells how sure it is of the next steps. Far ahead its
  // forecasts overlap so much that they are few, and err alike with the level of a few weeks: there all timesteps
  // before the test part tell more, each for as much as another.
  std::vector<double> Factors() const {
    std::vector<double> factors;
    for (int64_t step = 0; step < steps_; ++step) {
      const double apart =
          static_cast<double>(dataset_.timesteps(Dataset::kValidation)) / static_cast<double>(step + 1);
      const double weight = apart / (apart + kSureForecasts);
      for (size_t i = 0; i < spec_.outputs.size(); ++i) {
        if (static_cast<int64_t>(Distances(validation_, step, i).size()) < kLeastOrigins) return {};
        // What was learned is told too well, most of all the next step; far ahead, half of that is left.
        const double size = std::sqrt(FactorOf(validation_, 0, i) / FactorOf(all_, 0, i));
        const double factor =
            std::pow(FactorOf(validation_, step, i), weight) * std::pow(size * FactorOf(all_, step, i), 1 - weight);
        factors.push_back(std::clamp(factor, 0.05, 1000.0));
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
    if (counts_among_all_) all_[place].push_back(distance / half);
    if (is_validation_) validation_[place].push_back(distance / half);
  }

  const Dataset& dataset_;
  const Network& network_;
  const ModelSpec& spec_;
  const std::vector<size_t> fed_back_;
  const int64_t steps_;
  Random random_;
  bool is_validation_ = false, counts_among_all_ = false;
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
  const int64_t stride = std::max<int64_t>(1, dataset.timesteps(Dataset::kValidation) / kMostOrigins);
  const int64_t all_stride =
      stride * std::max<int64_t>(1, dataset.timesteps(Dataset::kTraining) / kMostOrigins / stride);
  for (const Segment& part : dataset.segments(Dataset::kTraining)) sampler.Add(part, all_stride, all_stride, false);
  for (const Segment& part : dataset.segments(Dataset::kValidation)) sampler.Add(part, stride, all_stride, true);
  return sampler.Factors();
}

}  // namespace rondo::train
