// Rows that begin with kernel: one layer on our kernel against the bare oneDNN primitive of its shape, alternating in
// one run. `ratio` is bare / ours of the lower quartiles of each, `of_peak` what ours reaches of the core's fused
// multiply-adds, which are measured in turn with it. --instruction_set=avx2 measures our kernel with less than the CPU
// has; oneDNN is held back likewise by ONEDNN_MAX_CPU_ISA=AVX2.
//
// Rows that begin with step: Network::Step against the bare oneDNN primitive: what gathering, checking, the head and
// scattering add. `ratio` is bare / step of the medians, `added_us` their difference. Those that end in /onednn run the
// step on oneDNN.
//
// Rows that begin with weights: our step with weights held as bf16 or int8 against float32; `ratio` is f32 / narrow of
// the lower quartiles of each. Rows that begin with timesteps: timesteps of one sequence, many in one call against one
// a call
// (`ratio`); `of_peak` is what the first reach of the core's multiply-adds.
//
// The rows that begin with split show what a second core brings: one step on one thread (`one_us`), half its rows alone
// (`half_us`), both halves at once on two threads (`both_us`). `speedup` is one / both; of what it lacks to 2, one /
// half is lost by reading the weights twice, half / both by what the cores share.
#include <algorithm>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "benchmark/benchmark.h"
#include "model/kernels/instruction_set.h"
#include "tests/bench/rows.h"

namespace rondo {
namespace {

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
  rondo::RegisterLayers(instruction_set);
  rondo::RegisterNetworks(instruction_set);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
