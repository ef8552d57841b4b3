#include "model/train/benchmark.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/cpu_limit.h"
#include "model/train/backprop.h"
#include "model/train/optimizer.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

constexpr int64_t kTimesteps = 64, kBatchSize = 64;
constexpr int kTurns = 12;
constexpr double kTurnSeconds = 0.12;

// Counts forward once and backward twice (for the inputs and for the weights), a multiplication and an addition each.
double FlopsPerStep(const NetworkShape& shape) {
  const double rows = kTimesteps * kBatchSize, hidden = shape.hidden_size;
  return 3 * 2 * rows * (shape.gates() * hidden * (shape.input_size + hidden) + shape.head_size * hidden);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + 1e-6 * (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

// Trains a network of one size on random numbers with a given number of threads.
class Contender {
 public:
  static absl::StatusOr<std::unique_ptr<Contender>> Create(const NetworkShape& shape, int threads) {
    PrepareTrainingThread(threads);  // oneDNN fixes the number when a layer is created
    auto backprop = Backprop::Create(shape, {kTimesteps, kBatchSize, Loss{}, 0});
    if (!backprop.ok()) return backprop.status();
    RecurrentLayer::Shape layer;
    layer.timesteps = kTimesteps;
    layer.batch_size = kBatchSize;
    layer.input_size = shape.input_size;
    layer.hidden_size = shape.hidden_size;
    auto bare = CreateOneDnnLayer(layer);
    if (!bare.ok()) return bare.status();
    std::unique_ptr<Contender> contender(new Contender(shape, threads, *std::move(backprop), *std::move(bare)));
    if (absl::Status status = contender->PrepareBare(); !status.ok()) return status;
    return contender;
  }

  // Takes a turn of whole optimiser steps.
  absl::Status RunWhole() {
    PrepareTrainingThread(threads_);
    return Time([this] { return OptimiserStep(); }, &whole_seconds_);
  }
  // Takes a turn of oneDNN's forward and backward alone.
  absl::Status RunBare() {
    PrepareTrainingThread(threads_);
    return Time(
        [this] {
          const absl::Status status = bare_->Forward();
          return status.ok() ? bare_->Backward() : status;
        },
        &bare_seconds_);
  }
  void ForgetTurns() {
    whole_seconds_.clear();
    bare_seconds_.clear();
    cpu_seconds_ = wall_seconds_ = 0;
  }

  double step_seconds() const { return Median(whole_seconds_); }
  double bare_seconds() const { return Median(bare_seconds_); }
  // Returns how many CPUs were in use, over all turns.
  double cpus() const { return cpu_seconds_ / wall_seconds_; }

 private:
  Contender(const NetworkShape& shape, int threads, std::unique_ptr<Backprop> backprop,
            std::unique_ptr<RecurrentLayer> bare)
      : threads_(threads),
        backprop_(std::move(backprop)),
        bare_(std::move(bare)),
        parameters_(InitialParameters(shape, 1)),
        gradient_(parameters_.size()),
        state_(backprop_->state_size()),
        optimizer_(backprop_->layout(), {}),
        moments_(optimizer_.InitialState()) {
    Random random(1);
    for (int64_t i = 0; i < kTimesteps * kBatchSize * shape.input_size; ++i) {
      batch_.features.push_back(static_cast<float>(random.Normal()));
    }
    for (int64_t i = 0; i < kTimesteps * kBatchSize; ++i) batch_.targets.push_back(static_cast<float>(random.Normal()));
    batch_.mask.assign(kTimesteps * kBatchSize, 1);
  }

  // What the layer of the optimiser step works on.
  absl::Status PrepareBare() {
    std::copy(batch_.features.begin(), batch_.features.end(), bare_->input());
    const ParameterLayout::Layer& layer = backprop_->layout().layers()[0];
    const absl::Span<const float> all = parameters_;
    return bare_->SetWeights({Slice(all, layer.weight_ih), Slice(all, layer.weight_hh), Slice(all, layer.bias_ih),
                              Slice(all, layer.bias_hh)});
  }

  absl::Status OptimiserStep() {
    std::fill(state_.begin(), state_.end(), 0.0f);
    const auto loss =
        backprop_->LossAndGradient(batch_, parameters_, 0, absl::MakeSpan(state_), absl::MakeSpan(gradient_));
    if (!loss.ok()) return loss.status();
    ClipByGlobalNorm(1, absl::MakeSpan(gradient_));
    optimizer_.Step(gradient_, 1e-3, &moments_, absl::MakeSpan(parameters_));
    return absl::OkStatus();
  }

  // Adds the seconds of a call of `body`, over one turn.
  template <typename Body>
  absl::Status Time(const Body& body, std::vector<double>* seconds_a_call) {
    const double cpu_before = CpuSeconds();
    const absl::Time start = absl::Now();
    double seconds = 0;
    int64_t calls = 0;
    while (seconds < kTurnSeconds) {
      if (absl::Status status = body(); !status.ok()) return status;
      ++calls;
      seconds = absl::ToDoubleSeconds(absl::Now() - start);
    }
    const double cpu_seconds = CpuSeconds() - cpu_before;
    // One thread's CPU time is its wall time, less what other programs take of it.
    seconds_a_call->push_back((threads_ == 1 ? cpu_seconds : seconds) / static_cast<double>(calls));
    cpu_seconds_ += cpu_seconds;
    wall_seconds_ += seconds;
    return absl::OkStatus();
  }

  const int threads_;
  const std::unique_ptr<Backprop> backprop_;
  const std::unique_ptr<RecurrentLayer> bare_;
  std::vector<float> parameters_, gradient_, state_;
  const AdamW optimizer_;
  AdamW::State moments_;
  Batch batch_;
  std::vector<double> whole_seconds_, bare_seconds_;
  double cpu_seconds_ = 0, wall_seconds_ = 0;
};

// Alternates turns of one thread and of all threads; the first of each is warm-up.
absl::Status RunTurns(Contender& one, Contender& all) {
  for (int turn = -1; turn < kTurns; ++turn) {
    for (const absl::Status& status : {one.RunWhole(), all.RunWhole(), all.RunBare()}) {
      if (!status.ok()) return status;
    }
    if (turn >= 0) continue;
    one.ForgetTurns();
    all.ForgetTurns();
  }
  return absl::OkStatus();
}

absl::Status MeasureSize(int64_t hidden_size, int threads) {
  NetworkShape shape;
  shape.input_size = shape.hidden_size = hidden_size;
  shape.head_size = 1;
  const auto one = Contender::Create(shape, 1), all = Contender::Create(shape, threads);
  if (!one.ok()) return one.status();
  if (!all.ok()) return all.status();
  if (absl::Status status = RunTurns(**one, **all); !status.ok()) return status;
  const double step = (*all)->step_seconds(), bare = (*all)->bare_seconds(), flops = FlopsPerStep(shape) / 1e9;
  absl::PrintF("%4d  %10.1f %10.1f  %12.1f %6.2f  %12.2f %9.2f\n", hidden_size, flops / step, 1 / step, flops / bare,
               bare / step, (*one)->step_seconds() / step, (*all)->cpus());
  return absl::OkStatus();
}

}  // namespace

absl::Status RunBenchmark(int threads) {
  if (threads == 0) threads = AvailableCpus();
  absl::PrintF("lstm, T=%d, B=%d, %d threads, oneDNN %s; medians of %d turns\n\n", kTimesteps, kBatchSize, threads,
               OneDnnVersion(), kTurns);
  absl::PrintF("      ---- optimiser step --  --- bare oneDNN ---  step: against    CPUs\n");
  absl::PrintF("   H     GFLOP/s    steps/s       GFLOP/s  ratio    one thread  in use\n");
  for (const int64_t hidden_size : {64, 128, 256}) {
    if (absl::Status status = MeasureSize(hidden_size, threads); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo::train
