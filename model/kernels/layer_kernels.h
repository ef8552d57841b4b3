#ifndef RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
#define RONDO_MODEL_KERNELS_LAYER_KERNELS_H_

#include <cstddef>
#include <memory>
#include <optional>
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
  // How kRondo holds the weights of recurrent layers; absent: as the model's description says.
  std::optional<WeightFormat> weights;
  // Recurrent weights that take fewer bytes as float32, all layers together, are held so whatever is wanted: they stay
  // in the cache, and there narrower ones take 1.1 to 1.3 times as long (kernel-bench's rows of weights).
  size_t narrow_from_bytes = size_t{1} << 20;
  // The set that kRondo and the output head run with. All of them answer alike, so only tests choose.
  InstructionSet instruction_set = FastestInstructionSet();
};

// The kernels of a network's layers, the first layer first, and the batch sizes that all of them are made for.
struct LayerKernels {
  std::vector<std::unique_ptr<CellKernel>> layers;
  std::vector<size_t> batch_sizes;  // ascending; the last is the largest batch
  // A row's result does not depend on what shares its batch, bit for bit: with every kernel but oneDNN's.
  bool deterministic = false;
  WeightFormat weights = WeightFormat::kF32;  // how they are held
  std::string name;                           // for people: "rondo/avx512", "onednn/ref"
};

// The kind that kAuto stands for, with weights of float32: ours with AVX2 and AVX-512, whatever the cells and their
// sizes. kernel-bench has them side by side: LSTM and GRU of 16 to 1024 units at 1 to 64 rows at 1.0 to 11 times
// oneDNN's speed.
// Without those instructions a fused multiply-add may be a call of the C library, and oneDNN runs all but what it gets
// wrong.
KernelKind ChooseKernel(const std::vector<LayerShape>& shapes, InstructionSet instruction_set);

// INVALID_ARGUMENT: another format of the weights than float32 is wanted, and another kernel than ours. INTERNAL:
// oneDNN refused, or failed. Throws std::bad_alloc.
absl::StatusOr<LayerKernels> MakeLayerKernels(const std::vector<LayerShape>& shapes,
                                              const std::vector<LayerWeights>& weights, const KernelOptions& options);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_LAYER_KERNELS_H_
