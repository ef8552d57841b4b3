#ifndef RONDO_MODEL_KERNELS_ONEDNN_KERNEL_H_
#define RONDO_MODEL_KERNELS_ONEDNN_KERNEL_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/kernels/cell_kernel.h"
#include "model/kernels/layer.h"

namespace rondo {

// One layer on oneDNN: one primitive for each batch size, the weights translated from the file's convention and
// reordered once for each distinct layout. Call on a thread that PrepareComputeThread has prepared.
// The sizes of `weights` follow from the shape.
// INTERNAL: oneDNN refused, with its own words.
absl::StatusOr<std::unique_ptr<CellKernel>> MakeOneDnnKernel(const LayerShape& shape, const LayerWeights& weights,
                                                             const std::vector<size_t>& batch_sizes);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ONEDNN_KERNEL_H_
