// Rows that begin with kernel: one layer on our kernel against the bare oneDNN primitive of its shape, alternating in
// one run. `ratio` is bare / ours of the fastest of each, `of_peak` what ours reaches of the core's fused
// multiply-adds, which are measured in turn with it. --instruction_set=avx2 measures our kernel with less than the CPU
// has; oneDNN is held back likewise by ONEDNN_MAX_CPU_ISA=AVX2.
//
// Rows that begin with step: Network::Step against the bare oneDNN primitive: what gathering, checking, the head and
// scattering add. `ratio` is bare / step of the medians, `added_us` their difference. Those that end in /onednn run the
// step on oneDNN.
//
// Rows that begin with weights: our step with weights held as bf16 or int8 against float32; `ratio` is f32 / narrow of
// the fastest of each. Rows that begin with timesteps: timesteps of one sequence, many in one call against one a call
// (`ratio`); `of_peak` is what the first reach of the core's multiply-adds.
//
// The rows that begin with split show what a second core brings: one step on one thread (`one_us`), half its rows alone
// (`half_us`), both halves at once on two threads (`both_us`). `speedup` is one / both; of what it lacks to 2, one /
// half is lost by reading the weights twice, half / both by what the cores share.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "benchmark/benchmark.h"
#include "model/compute_thread.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/rondo_kernel.h"
#include "model/network.h"
#include "server/loop/compute_helpers.h"
#include "tests/bench/bare_primitive.h"
#include "tests/bench/peak.h"

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

// The processor time of this thread, which does all the work: what else the machine does hardly shows.
double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

template <typename Runnable>
double Seconds(Runnable& runnable, int repeats) {
  const double start = ThreadSeconds();
  for (int i = 0; i < repeats; ++i) runnable.Run();
  return (ThreadSeconds() - start) / repeats;
}

double Median(std::vector<double>& seconds) {
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

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

// One layer on our kernel, in buffers of its own.
class KernelRun {
 public:
  KernelRun(const LayerShape& shape, size_t batch_size, InstructionSet instruction_set,
            WeightFormat format = WeightFormat::kF32)
      : batch_size_(batch_size),
        input_(batch_size * shape.input_size),
        h_in_(batch_size * shape.hidden_size),
        c_in_(h_in_.size()),
        h_out_(h_in_.size()),
        c_out_(h_in_.size()) {
    std::mt19937 random(1);
    const auto fill = [&](float* floats, size_t size, float bound) {
      std::uniform_real_distribution<float> uniform(-bound, bound);
      std::generate_n(floats, size, [&] { return uniform(random); });
    };
    for (AlignedBuffer* buffer : {&input_, &h_in_, &c_in_}) fill(buffer->get(), buffer->size(), 1);
    const size_t rows = GateCount(shape.cell) * shape.hidden_size;
    LayerWeights weights;
    weights.weight_ih.resize(rows * shape.input_size);
    weights.weight_hh.resize(rows * shape.hidden_size);
    for (auto* weight : {&weights.weight_ih, &weights.weight_hh}) fill(weight->data(), weight->size(), 0.05f);
    weights.bias_ih.resize(rows);
    weights.bias_hh.resize(rows);
    kernel_ = MakeRondoKernel(shape, weights, batch_size, instruction_set, format);
    scratchpad_ = AlignedBuffer(kernel_->scratchpad_size());
    layer_ = kernel_->Bind({input_.get(), h_in_.get(), c_in_.get(), h_out_.get(), c_out_.get(), scratchpad_.get()});
    flops_ = 2.0 * batch_size * rows * (shape.input_size + shape.hidden_size);
  }

  void Run() { layer_->Run(batch_size_); }
  double flops() const { return flops_; }
  std::string name() const { return kernel_->name(); }

 private:
  const size_t batch_size_;
  AlignedBuffer input_, h_in_, c_in_, h_out_, c_out_, scratchpad_;
  std::unique_ptr<CellKernel> kernel_;
  std::unique_ptr<BoundLayer> layer_;
  double flops_ = 0;
};

void CompareKernels(benchmark::State& state, LayerShape shape, size_t batch_size, InstructionSet instruction_set) {
  PrepareComputeThread();
  KernelRun ours(shape, batch_size, instruction_set);
  BarePrimitive bare(shape.cell, shape.gru_reset, shape.hidden_size, batch_size);
  const int bare_repeats = std::max(2, static_cast<int>(100e-6 / Seconds(bare, 3)));
  const int our_repeats = std::max(2, static_cast<int>(100e-6 / Seconds(ours, 3)));
  double bare_seconds = 1e9, our_seconds = 1e9, peak = 0;
  for (auto _ : state) {
    bare.Run();
    bare_seconds = std::min(bare_seconds, Seconds(bare, bare_repeats));
    ours.Run();
    our_seconds = std::min(our_seconds, Seconds(ours, our_repeats));
    const double start = ThreadSeconds();
    const double flops = RunPeak(instruction_set);
    peak = std::max(peak, flops / (ThreadSeconds() - start));
    state.SetIterationTime(our_seconds);
  }
  state.counters["bare_us"] = bare_seconds * 1e6;
  state.counters["ours_us"] = our_seconds * 1e6;
  state.counters["ratio"] = bare_seconds / our_seconds;
  state.counters["gflops"] = ours.flops() / our_seconds * 1e-9;
  state.counters["of_peak"] = ours.flops() / our_seconds / peak;
  state.SetLabel(ours.name());
}

void CompareWeights(benchmark::State& state, LayerShape shape, size_t batch_size, InstructionSet instruction_set,
                    WeightFormat format) {
  PrepareComputeThread();
  KernelRun wide(shape, batch_size, instruction_set), narrow(shape, batch_size, instruction_set, format);
  const int repeats = std::max(2, static_cast<int>(100e-6 / Seconds(wide, 3)));
  double wide_seconds = 1e9, narrow_seconds = 1e9;
  for (auto _ : state) {
    wide.Run();
    wide_seconds = std::min(wide_seconds, Seconds(wide, repeats));
    narrow.Run();
    narrow_seconds = std::min(narrow_seconds, Seconds(narrow, repeats));
    state.SetIterationTime(narrow_seconds);
  }
  state.counters["f32_us"] = wide_seconds * 1e6;
  state.counters["narrow_us"] = narrow_seconds * 1e6;
  state.counters["ratio"] = wide_seconds / narrow_seconds;
  state.SetLabel(narrow.name());
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

struct NamedCell {
  const char* name;
  Cell cell;
  GruReset reset;
};
constexpr NamedCell kCells[] = {{"lstm", Cell::kLstm, GruReset::kAfter},
                                {"gru_after", Cell::kGru, GruReset::kAfter},
                                {"gru_before", Cell::kGru, GruReset::kBefore},
                                {"rnn", Cell::kRnn, GruReset::kAfter}};

int Iterations(size_t hidden_size) { return hidden_size >= 1024 ? 15 : hidden_size >= 512 ? 50 : 200; }

void RegisterKernels(InstructionSet instruction_set) {
  for (const NamedCell& cell : kCells) {
    for (const int64_t hidden_size : {16, 32, 64, 128, 256, 512, 1024}) {
      for (const size_t batch_size : {1, 2, 4, 8, 16, 64}) {
        const LayerShape shape{cell.cell, cell.reset, GruUpdate::kKeep, Activation::kTanh, hidden_size, hidden_size};
        benchmark::RegisterBenchmark(absl::StrCat("kernel/", cell.name, "/H:", hidden_size, "/B:", batch_size).c_str(),
                                     CompareKernels, shape, batch_size, instruction_set)
            ->UseManualTime()
            ->Iterations(Iterations(hidden_size))
            ->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

void RegisterWeights(InstructionSet instruction_set) {
  for (const NamedCell& cell : kCells) {
    for (const int64_t hidden_size : {64, 256, 1024}) {
      for (const size_t batch_size : {1, 4, 64}) {
        const LayerShape shape{cell.cell, cell.reset, GruUpdate::kKeep, Activation::kTanh, hidden_size, hidden_size};
        for (const WeightFormat format : {WeightFormat::kBf16, WeightFormat::kInt8}) {
          benchmark::RegisterBenchmark(
              absl::StrCat("weights/", WeightFormatName(format), "/", cell.name, "/H:", hidden_size, "/B:", batch_size)
                  .c_str(),
              CompareWeights, shape, batch_size, instruction_set, format)
              ->UseManualTime()
              ->Iterations(Iterations(hidden_size))
              ->Unit(benchmark::kMicrosecond);
        }
      }
    }
  }
}

void RegisterTimesteps(InstructionSet instruction_set) {
  for (const NamedCell& cell : kCells) {
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
  for (const NamedCell& cell : kCells) {
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

// Takes --instruction_set=NAME off the arguments.
InstructionSet TakeInstructionSet(int* argc, char** argv) {
  InstructionSet wanted = FastestInstructionSet();
  const auto take = [&](absl::string_view argument) {
    if (!absl::ConsumePrefix(&argument, "--instruction_set=")) return false;
    for (const InstructionSet set : InstructionSets()) {
      if (argument == InstructionSetName(set)) wanted = set;
    }
    return true;
  };
  *argc = static_cast<int>(std::remove_if(argv + 1, argv + *argc, take) - argv);
  return wanted;
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  const rondo::InstructionSet instruction_set = rondo::TakeInstructionSet(&argc, argv);
  rondo::RegisterKernels(instruction_set);
  rondo::RegisterWeights(instruction_set);
  rondo::RegisterTimesteps(instruction_set);
  rondo::RegisterSteps();
  rondo::RegisterSplits();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
