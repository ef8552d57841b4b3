#ifndef RONDO_MODEL_KERNELS_RONDO_KERNEL_H_
#define RONDO_MODEL_KERNELS_RONDO_KERNEL_H_

#include <cstddef>
#include <memory>

#include "model/kernels/cell_kernel.h"
#include "model/kernels/instruction_set.h"
#include "model/kernels/layer.h"

namespace rondo {

// One layer on kernels of our own, for any number of rows up to `max_batch_size`, with its weights held in `format`. A
// row's result is equal bit for bit whatever shares its batch, wherever it stands and whichever instruction set runs
// it. The sizes of `weights` follow from the shape. Throws std::bad_alloc. REQUIRES: this CPU has the instruction set.
std::unique_ptr<CellKernel> MakeRondoKernel(const LayerShape& shape, const LayerWeights& weights, size_t max_batch_size,
                                            InstructionSet instruction_set, WeightFormat format = WeightFormat::kF32);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_RONDO_KERNEL_H_
