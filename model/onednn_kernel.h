#ifndef RONDO_MODEL_ONEDNN_KERNEL_H_
#define RONDO_MODEL_ONEDNN_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/cell_kernel.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {

// One layer on oneDNN: one primitive for each batch size, the weights translated from the file's convention and
// reordered once for each distinct layout. Call on a thread that PrepareComputeThread has prepared.
// `input_size` is the layer's input width; the sizes of `weights` follow from it and from the spec.
// INTERNAL: oneDNN refused, with its own words.
absl::StatusOr<std::unique_ptr<CellKernel>> MakeOneDnnKernel(const ModelSpec& spec, int64_t input_size,
                                                             const LayerWeights& weights,
                                                             const std::vector<size_t>& batch_sizes);

}  // namespace rondo

#endif  // RONDO_MODEL_ONEDNN_KERNEL_H_
