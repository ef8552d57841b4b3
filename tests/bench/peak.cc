#include "tests/bench/peak.h"

#include <cstddef>

namespace rondo {
namespace {

constexpr int kChains = 12;
constexpr int kRounds = 20000;  // some tens of microseconds: long enough for the clock to settle on them

// `Vector` is one register; the compiler fuses `sum * factor + sum` where the target can.
template <typename Vector>
inline __attribute__((always_inline)) double Run() {
  Vector sums[kChains] = {};
  Vector factor = {};
  asm volatile("" : "+x"(factor));
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (Vector& sum : sums) sum = sum * factor + factor;
#pragma GCC unroll 12
    for (Vector& sum : sums) asm volatile("" : "+x"(sum));
  }
  return 2.0 * kRounds * kChains * sizeof(Vector) / sizeof(float);
}

#if defined(__x86_64__)
typedef float Sixteen __attribute__((vector_size(64)));
typedef float Eight __attribute__((vector_size(32)));
__attribute__((target("avx512f,fma"), optimize("O3"))) double RunAvx512() { return Run<Sixteen>(); }
__attribute__((target("avx2,fma"), optimize("O3"))) double RunAvx2() { return Run<Eight>(); }
#endif

}  // namespace

double RunPeak(InstructionSet instruction_set) {
#if defined(__x86_64__)
  if (instruction_set == InstructionSet::kAvx512) return RunAvx512();
  if (instruction_set == InstructionSet::kAvx2) return RunAvx2();
#endif
  (void)instruction_set;
  return Run<float>();
}

}  // namespace rondo
