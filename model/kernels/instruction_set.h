#ifndef RONDO_MODEL_KERNELS_INSTRUCTION_SET_H_
#define RONDO_MODEL_KERNELS_INSTRUCTION_SET_H_

#include <vector>

namespace rondo {

// Says what a kernel of ours is compiled for. Kernels answer bit for bit alike with each of them.
enum class InstructionSet { kPlain, kAvx2, kAvx512 };  // AVX2 and AVX-512 with FMA

const char* InstructionSetName(InstructionSet instruction_set);  // "plain", "avx2", "avx512"

// Returns the sets that this CPU has, the fastest last.
std::vector<InstructionSet> InstructionSets();

InstructionSet FastestInstructionSet();

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_INSTRUCTION_SET_H_
