// One layer on our kernel: against the bare oneDNN primitive, and with its weights held narrow.
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "model/compute_thread.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/rondo_kernel.h"
#include "tests/bench/bare_primitive.h"
#include "tests/bench/peak.h"
#include "tests/bench/rows.h"

namespace rondo {
namespace {

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
  std::vector<double> bare_turns, our_turns, peak_turns;
  for (auto _ : state) {
    bare.Run();
    bare_turns.push_back(Seconds(bare, bare_repeats));
    ours.Run();
    our_turns.push_back(Seconds(ours, our_repeats));
    const double start = ThreadSeconds();
    const double flops = RunPeak(instruction_set);
    peak_turns.push_back((ThreadSeconds() - start) / flops);
    state.SetIterationTime(our_turns.back());
  }
  const double bare_seconds = Quartile(bare_turns), our_seconds = Quartile(our_turns);
  state.counters["bare_us"] = bare_seconds * 1e6;
  state.counters["ours_us"] = our_seconds * 1e6;
  state.counters["ratio"] = bare_seconds / our_seconds;
  state.counters["gflops"] = ours.flops() / our_seconds * 1e-9;
  state.counters["of_peak"] = ours.flops() / our_seconds * Quartile(peak_turns);
  state.SetLabel(ours.name());
}

void CompareWeights(benchmark::State& state, LayerShape shape, size_t batch_size, InstructionSet instruction_set,
                    WeightFormat format) {
  PrepareComputeThread();
  KernelRun wide(shape, batch_size, instruction_set), narrow(shape, batch_size, instruction_set, format);
  const int repeats = std::max(2, static_cast<int>(100e-6 / Seconds(wide, 3)));
  std::vector<double> wide_turns, narrow_turns;
  for (auto _ : state) {
    wide.Run();
    wide_turns.push_back(Seconds(wide, repeats));
    narrow.Run();
    narrow_turns.push_back(Seconds(narrow, repeats));
    state.SetIterationTime(narrow_turns.back());
  }
  const double wide_seconds = Quartile(wide_turns), narrow_seconds = Quartile(narrow_turns);
  state.counters["f32_us"] = wide_seconds * 1e6;
  state.counters["narrow_us"] = narrow_seconds * 1e6;
  state.counters["ratio"] = wide_seconds / narrow_seconds;
  state.SetLabel(narrow.name());
}

void RegisterKernels(InstructionSet instruction_set) {
  for (const NamedCell& cell : kBenchCells) {
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
  for (const NamedCell& cell : kBenchCells) {
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

}  // namespace

void RegisterLayers(InstructionSet instruction_set) {
  RegisterKernels(instruction_set);
  RegisterWeights(instruction_set);
}

}  // namespace rondo
