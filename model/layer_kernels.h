#ifndef RONDO_MODEL_LAYER_KERNELS_H_
#define RONDO_MODEL_LAYER_KERNELS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/cell_kernel.h"
#include "model/model_spec.h"
#include "model/network.h"
#include "model/weights.h"

namespace rondo {

// The kernels of a network's layers, the first layer first, and the batch sizes that all of them are made for.
struct LayerKernels {
  std::vector<std::unique_ptr<CellKernel>> layers;
  std::vector<size_t> batch_sizes;  // ascending; the last is the largest batch
};

// With options.deterministic there is one batch size, at most 8, at which a row's result does not depend on its place:
// the first of some candidates that shows that of every layer, on this machine. INTERNAL: oneDNN refused, or failed.
absl::StatusOr<LayerKernels> MakeLayerKernels(const ModelSpec& spec, const std::vector<LayerWeights>& weights,
                                              const Network::Options& options);

}  // namespace rondo

#endif  // RONDO_MODEL_LAYER_KERNELS_H_
