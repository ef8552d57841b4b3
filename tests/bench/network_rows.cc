// Whole networks: a step, many timesteps of one sequence, a step on two threads.
#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "model/compute_thread.h"
#include "model/network.h"
#include "server/loop/compute_helpers.h"
#include "tests/bench/bare_primitive.h"
#include "tests/bench/peak.h"
#include "tests/bench/rows.h"

namespace rondo {
namespace {

ModelSpec MakeSpec(Cell cell, int64_t hidden_size) {
  ModelSpec spec;
  spec.cell = cell;
  spec.num_layers = 1;
  spec.hidden_size = hidden_size;
  for (int64_t i = 0; i < hidden_size; ++i) spec.inputs.push_back({absl::StrCat("in", i), 0.5, 2.0});
  spec.outputs.push_back({"out", 0.5, 2.0, {}});
  return spec;
}

Weights SmallWeights(const ModelSpec& spec) {
  Weights weights;
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-0.05f, 0.05f);
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) {
    slot.values->resize(slot.shape.size());
    for (float& value : *slot.values) value = uniform(random);
  }
  return weights;
}

// One batch of series that share nothing, as a serving loop has them: every state in its own allocation.
class Batch {
 public:
  Batch(Cell cell, size_t hidden_size, size_t batch_size, const Network::Options& wanted) {
    ModelSpec spec = MakeSpec(cell, hidden_size);
    Weights weights = SmallWeights(spec);
    inputs_.assign(batch_size, std::vector<float>(spec.input_size(), 0.7f));
    states_.assign(batch_size, std::vector<float>(spec.state_size()));
    outputs_.resize(batch_size);
    for (size_t i = 0; i < batch_size; ++i) {
      StepRow row;
      row.input = inputs_[i].data();
      row.state_in = row.state_out = states_[i].data();
      row.output = &outputs_[i];
      rows_.push_back(row);
    }
    Network::Options options = wanted;
    options.max_batch_size = batch_size;
    network_ = *Network::Create(std::move(spec), std::move(weights), options);
  }

  void Run() { network_->Step(absl::MakeSpan(rows_)); }
  void RunHalf(size_t half) {
    const size_t rows = rows_.size() / 2;
    network_->Step(absl::MakeSpan(rows_).subspan(half * rows, rows));
  }
  const Network& network() const { return *network_; }

 private:
  std::vector<std::vector<float>> inputs_, states_;
  std::vector<float> outputs_;
  std::vector<StepRow> rows_;
  std::unique_ptr<Network> network_;
};

void CompareWithBarePrimitive(benchmark::State& state, Cell cell, size_t hidden_size, size_t batch_size,
                              const Network::Options& options) {
  PrepareComputeThread();
  Batch batch(cell, hidden_size, batch_size, options);
  BarePrimitive bare(cell, GruReset::kAfter, hidden_size, batch_size);
  // A few runs in a row, the first not counted, since each of the two evicts the other's weights from the cache.
  const int repeats = std::max(2, static_cast<int>(200e-6 / Seconds(bare, 3)));
  std::vector<double> step_seconds, bare_seconds;
  for (auto _ : state) {
    bare.Run();
    bare_seconds.push_back(Seconds(bare, repeats));
    batch.Run();
    step_seconds.push_back(Seconds(batch, repeats));
    state.SetIterationTime(step_seconds.back());
  }
  const double bare_median = Median(bare_seconds), step_median = Median(step_seconds);
  state.counters["bare_us"] = bare_median * 1e6;
  state.counters["step_us"] = step_median * 1e6;
  state.counters["added_us"] = (step_median - bare_median) * 1e6;
  state.counters["ratio"] = bare_median / step_median;
  state.counters["gflops"] = batch.network().flops_per_row() * batch_size / step_median * 1e-9;
  state.SetLabel(batch.network().kernel_name());
}

// Timesteps of one sequence.
class HistoryRun {
 public:
  HistoryRun(Cell cell, int64_t hidden_size, InstructionSet instruction_set) {
    ModelSpec spec = MakeSpec(cell, hidden_size);
    Weights weights = SmallWeights(spec);
    Network::Options options;
    options.instruction_set = instruction_set;
    network_ = *Network::Create(std::move(spec), std::move(weights), options);
    inputs_.assign(count() * network_->spec().input_size(), 0.7f);
    outputs_.resize(count());
    state_.resize(network_->spec().state_size());
  }

  size_t count() const { return network_->timesteps_at_once(); }
  const Network& network() const { return *network_; }
  void RunAtOnce() {
    Timesteps timesteps;
    timesteps.inputs = inputs_.data();
    timesteps.count = count();
    timesteps.state_in = timesteps.state_out = state_.data();
    timesteps.outputs = outputs_.data();
    network_->StepTimesteps(&timesteps);
  }
  void Run() {
    for (size_t t = 0; t < count(); ++t) {
      StepRow row;
      row.input = &inputs_[t * network_->spec().input_size()];
      row.state_in = row.state_out = state_.data();
      row.output = &outputs_[t];
      network_->Step({&row, 1});
    }
  }

 private:
  std::unique_ptr<Network> network_;
  std::vector<float> inputs_, outputs_, state_;
};

void CompareTimesteps(benchmark::State& state, Cell cell, size_t hidden_size, InstructionSet instruction_set) {
  PrepareComputeThread();
  HistoryRun sequence(cell, static_cast<int64_t>(hidden_size), instruction_set);
  double single = 1e9, at_once = 1e9, peak = 0;
  for (auto _ : state) {
    double start = ThreadSeconds();
    sequence.Run();
    single = std::min(single, ThreadSeconds() - start);
    start = ThreadSeconds();
    sequence.RunAtOnce();
    at_once = std::min(at_once, ThreadSeconds() - start);
    start = ThreadSeconds();
    const double flops = RunPeak(instruction_set);
    peak = std::max(peak, flops / (ThreadSeconds() - start));
    state.SetIterationTime(at_once);
  }
  const double flops = sequence.network().flops_per_row() * static_cast<double>(sequence.count());
  state.counters["steps"] = static_cast<double>(sequence.count());
  state.counters["step_us"] = at_once / static_cast<double>(sequence.count()) * 1e6;
  state.counters["ratio"] = single / at_once;
  state.counters["of_peak"] = flops / at_once / peak;
}

template <typename Function>
double WallSeconds(const Function& function) {
  constexpr int kRepeats = 3;
  function();  // the first is not counted
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRepeats; ++i) function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kRepeats;
}

void CompareWithTwoThreads(benchmark::State& state, size_t hidden_size, size_t batch_size) {
  PrepareComputeThread();
  Batch batch(Cell::kLstm, hidden_size, batch_size, {});
  ComputeHelpers helper(1);
  std::vector<double> one, half, both;
  for (auto _ : state) {
    one.push_back(WallSeconds([&] { batch.Run(); }));
    half.push_back(WallSeconds([&] { batch.RunHalf(0); }));
    both.push_back(WallSeconds([&] { helper.Run(2, [&](size_t part) { batch.RunHalf(part); }); }));
    state.SetIterationTime(both.back());
  }
  const double one_median = Median(one), half_median = Median(half), both_median = Median(both);
  state.counters["one_us"] = one_median * 1e6;
  state.counters["half_us"] = half_median * 1e6;
  state.counters["both_us"] = both_median * 1e6;
  state.counters["speedup"] = one_median / both_median;
}

void RegisterTimesteps(InstructionSet instruction_set) {
  for (const NamedCell& cell : kBenchCells) {
    if (cell.reset == GruReset::kBefore) continue;  // a ModelSpec of this bench has the other
    for (const size_t hidden_size : {16, 32, 64, 128, 256}) {
      benchmark::RegisterBenchmark(absl::StrCat("timesteps/", cell.name, "/H:", hidden_size).c_str(), CompareTimesteps,
                                   cell.cell, hidden_size, instruction_set)
          ->UseManualTime()
          ->Iterations(200)
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

void RegisterSteps() {
  Network::Options onednn;
  onednn.kernel = KernelKind::kOneDnn;
  const std::pair<const char*, Network::Options> kernels[] = {{"", {}}, {"/onednn", onednn}};
  for (const NamedCell& cell : kBenchCells) {
    if (cell.reset == GruReset::kBefore) continue;
    for (const size_t hidden_size : {32, 64, 128, 512, 1024}) {
      for (const size_t batch_size : {1, 4, 16, 64}) {
        for (const auto& [kernel, options] : kernels) {
          benchmark::RegisterBenchmark(
              absl::StrCat("step/", cell.name, "/H:", hidden_size, "/B:", batch_size, kernel).c_str(),
              CompareWithBarePrimitive, cell.cell, hidden_size, batch_size, options)
              ->UseManualTime()
              ->Iterations(Iterations(hidden_size))
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
}

void RegisterSplits() {
  for (const size_t hidden_size : {256, 512, 1024}) {
    benchmark::RegisterBenchmark(absl::StrCat("split/lstm/H:", hidden_size, "/B:64").c_str(), CompareWithTwoThreads,
                                 hidden_size, 64)
        ->UseManualTime()
        ->Iterations(30)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace

void RegisterNetworks(InstructionSet instruction_set) {
  RegisterTimesteps(instruction_set);
  RegisterSteps();
  RegisterSplits();
}

}  // namespace rondo
