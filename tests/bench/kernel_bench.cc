// Network::Step against the bare oneDNN primitive of the same shape, interleaved in one run: what gathering, checking,
// the head and scattering add. Each row's `ratio` is bare / step of the medians, `added_us` their difference. Rows
// that end in /deterministic run the step with one fixed batch size, against the same bare primitive.
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
#include "benchmark/benchmark.h"
#include "model/compute_thread.h"
#include "model/network.h"
#include "server/loop/compute_helpers.h"
#include "tests/bench/bare_primitive.h"

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

// One batch of series that share nothing, as a serving loop has them: every state in its own allocation.
class Batch {
 public:
  Batch(Cell cell, size_t hidden_size, size_t batch_size, bool deterministic) {
    ModelSpec spec = MakeSpec(cell, hidden_size);
    Weights weights;
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-0.05f, 0.05f);
    for (const TensorSlot& slot : TensorSlots(spec, &weights)) {
      slot.values->resize(slot.shape.size());
      for (float& value : *slot.values) value = uniform(random);
    }
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
    Network::Options options;
    if (!deterministic) options.max_batch_size = batch_size;
    options.deterministic = deterministic;
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
                              bool deterministic) {
  PrepareComputeThread();
  Batch batch(cell, hidden_size, batch_size, deterministic);
  BarePrimitive bare(cell, hidden_size, batch_size);
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
  Batch batch(Cell::kLstm, hidden_size, batch_size, false);
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

void Register(const std::string& name, Cell cell, size_t hidden_size, size_t batch_size, bool deterministic) {
  benchmark::RegisterBenchmark(
      absl::StrCat(name, "/H:", hidden_size, "/B:", batch_size, deterministic ? "/deterministic" : "").c_str(),
      CompareWithBarePrimitive, cell, hidden_size, batch_size, deterministic)
      ->UseManualTime()
      ->Iterations(hidden_size >= 1024  ? 15
                   : hidden_size >= 512 ? 50
                                        : 200)
      ->Unit(benchmark::kMicrosecond);
}

void RegisterAll() {
  const std::pair<const char*, Cell> cells[] = {{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}};
  for (const auto& [name, cell] : cells) {
    for (size_t hidden_size : {32, 64, 128, 512, 1024}) {
      for (size_t batch_size : {1, 4, 16, 64}) {
        for (bool deterministic : {false, true}) Register(name, cell, hidden_size, batch_size, deterministic);
      }
    }
  }
  for (size_t hidden_size : {256, 512, 1024}) {
    benchmark::RegisterBenchmark(absl::StrCat("split/lstm/H:", hidden_size, "/B:64").c_str(), CompareWithTwoThreads,
                                 hidden_size, 64)
        ->UseManualTime()
        ->Iterations(30)
        ->Unit(benchmark::kMicrosecond);
  }
}

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  rondo::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
