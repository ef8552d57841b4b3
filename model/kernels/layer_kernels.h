#ifndef RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
#define RONDO_MODEL_KERNELS_LAYER_KERNELS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/kernels/cell_kernel.h"
#include "model/kernels/instruction_set.h"
#include "model/kernels/layer.h"

namespace rondo {

// kAuto: kRondo or kOneDnn, by a rule that looks at the instruction set and the layers' shapes and measures nothing, so
// that two servers of one CPU choose alike. kReference is for tests.
enum class KernelKind { kAuto, kRondo, kOneDnn, kReference };

struct KernelOptions {
  KernelKind kernel = KernelKind::kAuto;
  size_t max_batch_size = 64;  // rows of one kernel call, 1..1024; more rows run as several calls
  // A row's result does not depend on what shares its batch, bit for bit. With every kernel but oneDNN that is so
  // anyway. With oneDNN every call then has one fixed number of rows; which number holds on this machine is tried, from
  // 8 down. Cost against the default (kernel-bench): a lone row takes 1.4 to 3.8 times as long; 16 rows or more 0.9 to
  // 1.6 times from 64 to 512 units, up to 2 times with 32, up to 3.5 times with 1024, where each call reads the weights
  // from memory again.
  bool deterministic = false;
  // Of kRondo and the output head. All of them answer alike, so only tests choose.
  InstructionSet instruction_set = FastestInstructionSet();
};

// The kernels of a network's layers, the first layer first, and the batch sizes that all of them are made for.
struct LayerKernels {
  std::vector<std::unique_ptr<CellKernel>> layers;
  std::vector<size_t> batch_sizes;  // ascending; the last is the largest batch
  bool deterministic = false;       // see KernelOptions
  std::string name;                 // for people: "rondo/avx512", "onednn/ref", "onednn/ref, 6 rows"
};

// The kind that kAuto stands for.
KernelKind ChooseKernel(const std::vector<LayerShape>& shapes, InstructionSet instruction_set);

// INTERNAL: oneDNN refused, or failed. Throws std::bad_alloc.
absl::StatusOr<LayerKernels> MakeLayerKernels(const std::vector<LayerShape>& shapes,
                                              const std::vector<LayerWeights>& weights, const KernelOptions& options);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
