#include "model/kernels/step_functions.h"

#include "model/kernels/training_functions.h"

namespace rondo {

// A gru with reset before keeps z and r * h between its two passes.
size_t StepScratchpadSize(const PackedLayer& layer, size_t max_batch_size) {
  const bool two_passes = layer.shape.cell == Cell::kGru && layer.shape.gru_reset == GruReset::kBefore;
  return two_passes ? 2 * max_batch_size * layer.blocks * kLanes : 0;
}

size_t TimestepsScratchpadSize(const PackedLayer& layer, size_t timesteps) {
  size_t size = StepScratchpadSize(layer, 1);
  for (const PackedColumns& columns : layer.columns) size += timesteps * layer.blocks * columns.gates * kLanes;
  return size;
}

const StepFunctions& StepFunctionsFor(InstructionSet instruction_set) {
#if defined(__x86_64__)
  if (instruction_set == InstructionSet::kAvx512) return kAvx512Functions;
  if (instruction_set == InstructionSet::kAvx2) return kAvx2Functions;
#else
  (void)instruction_set;
#endif
  return kPlainFunctions;
}

const TrainingFunctions& TrainingFunctionsFor(InstructionSet instruction_set) {
#if defined(__x86_64__)
  if (instruction_set == InstructionSet::kAvx512) return kAvx512Training;
  if (instruction_set == InstructionSet::kAvx2) return kAvx2Training;
#else
  (void)instruction_set;
#endif
  return kPlainTraining;
}

}  // namespace rondo
