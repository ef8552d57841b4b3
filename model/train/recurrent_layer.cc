#include "model/train/recurrent_layer.h"

#include <new>

#include "model/kernels/instruction_set.h"
#include "model/train/packed_lstm.h"
#include "model/train/training_kernel.h"

namespace rondo::train {

absl::StatusOr<std::unique_ptr<RecurrentLayer>> RecurrentLayer::Create(const Shape& shape) {
  const InstructionSet instruction_set = FastestInstructionSet();
  if (shape.cell != Cell::kLstm || instruction_set == InstructionSet::kPlain) return CreateOneDnnLayer(shape);
  try {
    return std::make_unique<PackedLstm>(shape, instruction_set);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(kNoMemoryForWindow);
  }
}

}  // namespace rondo::train
