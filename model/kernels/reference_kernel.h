#ifndef RONDO_MODEL_KERNELS_REFERENCE_KERNEL_H_
#define RONDO_MODEL_KERNELS_REFERENCE_KERNEL_H_

#include <memory>

#include "model/kernels/cell_kernel.h"
#include "model/kernels/layer.h"

namespace rondo {

// Plain loops over the published formulas, float64 inside: slow, any batch size, and what the fast kernel is judged by.
// The sizes of `weights` follow from the shape.
std::unique_ptr<CellKernel> MakeReferenceKernel(const LayerShape& shape, LayerWeights weights);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_REFERENCE_KERNEL_H_
