#ifndef RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
#define RONDO_MODEL_KERNELS_LAYER_KERNELS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "model/kernels/cell_kernel.h"
#include "model/kernels/layer.h"

namespace rondo {

enum class KernelKind { kOneDnn, kReference };

struct KernelOptions {
  KernelKind kernel = KernelKind::kOneDnn;
  size_t max_batch_size = 64;  // rows of one kernel call, 1..1024; more rows run as several calls
  // Every kernel call has one fixed number of rows, so that a row's result does not depend on what shares its batch,
  // bit for bit, with any cell. Which number holds on this machine is tried, from 8 down. Cost against the default
  // (kernel-bench): a lone row takes 1.4 to 3.8 times as long; 16 rows or more 0.9 to 1.6 times from 64 to 512 units,
  // up to 2 times with 32, up to 3.5 times with 1024, where each call reads the weights from memory again.
  bool deterministic = false;
};

// The kernels of a network's layers, the first layer first, and the batch sizes that all of them are made for.
struct LayerKernels {
  std::vector<std::unique_ptr<CellKernel>> layers;
  std::vector<size_t> batch_sizes;  // ascending; the last is the largest batch
};

// Makes the kernels. With options.deterministic there is one batch size, at most 8, at which a row's result does not
// depend on its place: the first of some candidates at which every layer proves it on this machine. INTERNAL: oneDNN
// refused, or failed.
absl::StatusOr<LayerKernels> MakeLayerKernels(const std::vector<LayerShape>& shapes,
                                              const std::vector<LayerWeights>& weights, const KernelOptions& options);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
