#include "model/kernels/instruction_set.h"

namespace rondo {

const char* InstructionSetName(InstructionSet instruction_set) {
  switch (instruction_set) {
    case InstructionSet::kAvx512:
      return "avx512";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kPlain:
      break;
  }
  return "plain";
}

std::vector<InstructionSet> InstructionSets() {
  std::vector<InstructionSet> sets{InstructionSet::kPlain};
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("fma")) return sets;
  if (__builtin_cpu_supports("avx2")) sets.push_back(InstructionSet::kAvx2);
  if (__builtin_cpu_supports("avx512f")) sets.push_back(InstructionSet::kAvx512);
#endif
  return sets;
}

InstructionSet FastestInstructionSet() {
  static const InstructionSet fastest = InstructionSets().back();
  return fastest;
}

}  // namespace rondo
