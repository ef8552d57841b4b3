#ifndef RONDO_TESTS_BENCH_PEAK_H_
#define RONDO_TESTS_BENCH_PEAK_H_

#include "model/kernels/instruction_set.h"

namespace rondo {

// Fused multiply-adds on registers alone, as many chains at once as hide their latency: what a core can reach at most.
// Returns the floating point operations done; plain C++ is measured as one chain of scalars each.
double RunPeak(InstructionSet instruction_set);

}  // namespace rondo

#endif  // RONDO_TESTS_BENCH_PEAK_H_
