#include "model/train/benchmark.h"

#include <sys/resource.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "model/train/backprop.h"
#include "model/train/optimizer.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

constexpr int64_t kTimesteps = 64, kBatchSize = 64;
constexpr int kTurns = 12;
constexpr double kTurnSeconds = 0.12;

// Forward once and backward twice (for the inputs and for the weights), a multiplication and an addition each.
double FlopsPerStep(const NetworkShape& shape) {
  const double rows = kTimesteps * kBatchSize, hidden = shape.hidden_size;
  return 3 * 2 * rows * (shape.gates() * hidden * (shape.input_size + hidden) + shape.head_size * hidden);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

// Seconds a call of `body`, over one turn.
template <typename Body>
absl::StatusOr<double> TimeTurn(const Body& body) {
  const absl::Time start = absl::Now();
  double seconds = 0;
  int64_t calls = 0;
  while (seconds < kTurnSeconds) {
    if (absl::Status status = body(); !status.ok()) return status;
    ++calls;
    seconds = absl::ToDoubleSeconds(absl::Now() - start);
  }
  return seconds / calls;
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

absl::Status MeasureSize(int64_t hidden_size) {
  NetworkShape shape;
  shape.input_size = shape.hidden_size = hidden_size;
  shape.head_size = 1;
  auto backprop = Backprop::Create(shape, {kTimesteps, kBatchSize, Loss{}, 0});
  if (!backprop.ok()) return backprop.status();
  Random random(1);
  Batch batch;
  for (int64_t i = 0; i < kTimesteps * kBatchSize * hidden_size; ++i) batch.features.push_back(random.Normal());
  for (int64_t i = 0; i < kTimesteps * kBatchSize; ++i) batch.targets.push_back(random.Normal());
  batch.mask.assign(kTimesteps * kBatchSize, 1);
  std::vector<float> parameters = InitialParameters(shape, 1), gradient(parameters.size());
  std::vector<float> state((*backprop)->state_size());
  const AdamW optimizer((*backprop)->layout(), {});
  AdamW::State moments = optimizer.InitialState();
  const auto whole = [&]() -> absl::Status {
    std::fill(state.begin(), state.end(), 0.0f);
    const auto loss =
        (*backprop)->LossAndGradient(batch, parameters, 0, absl::MakeSpan(state), absl::MakeSpan(gradient));
    if (!loss.ok()) return loss.status();
    ClipByGlobalNorm(1, absl::MakeSpan(gradient));
    optimizer.Step(gradient, 1e-3, &moments, absl::MakeSpan(parameters));
    return absl::OkStatus();
  };
  const auto bare = [&]() -> absl::Status {
    if (absl::Status status = (*backprop)->layer(0).Forward(); !status.ok()) return status;
    return (*backprop)->layer(0).Backward();
  };
  std::vector<double> whole_seconds, bare_seconds;
  double cpu = 0, wall = 0;
  for (int turn = -1; turn < kTurns; ++turn) {
    const double cpu_before = CpuSeconds();
    const absl::Time start = absl::Now();
    const auto whole_turn = TimeTurn(whole);
    if (!whole_turn.ok()) return whole_turn.status();
    cpu += turn < 0 ? 0 : CpuSeconds() - cpu_before;
    wall += turn < 0 ? 0 : absl::ToDoubleSeconds(absl::Now() - start);
    const auto bare_turn = TimeTurn(bare);
    if (!bare_turn.ok()) return bare_turn.status();
    if (turn < 0) continue;  // warm-up
    whole_seconds.push_back(*whole_turn);
    bare_seconds.push_back(*bare_turn);
  }
  const double step = Median(whole_seconds), primitive = Median(bare_seconds), flops = FlopsPerStep(shape) / 1e9;
  absl::PrintF(
      "H=%-4d optimiser step %8.1f GFLOP/s %8.1f steps/s   bare oneDNN %8.1f GFLOP/s   ratio %.2f   cores %.2f\n",
      hidden_size, flops / step, 1 / step, flops / primitive, primitive / step, cpu / wall);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunBenchmark(int threads) {
  PrepareTrainingThread(threads);
  absl::PrintF("lstm, T=%d, B=%d, oneDNN %s; medians of %d turns\n", kTimesteps, kBatchSize, OneDnnVersion(), kTurns);
  for (const int64_t hidden_size : {64, 128, 256}) {
    if (absl::Status status = MeasureSize(hidden_size); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo::train
