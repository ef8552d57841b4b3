#include "model/kernels/layer_kernels.h"

#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/kernels/onednn_kernel.h"
#include "model/kernels/reference_kernel.h"
#include "model/kernels/rondo_kernel.h"

namespace rondo {
namespace {

// For oneDNN each costs about 0.4 ms and 0.2 MB a layer, so large ones are spaced out and a batch in between is padded,
// by at most a quarter.
std::vector<size_t> SpacedBatchSizes(size_t max_batch_size) {
  std::vector<size_t> sizes;
  for (size_t n = 1; n < max_batch_size; n += n < 64 ? 1 : n < 256 ? 16 : 64) sizes.push_back(n);
  sizes.push_back(max_batch_size);
  return sizes;
}

std::vector<size_t> AllBatchSizes(size_t max_batch_size) {
  std::vector<size_t> sizes(max_batch_size);
  std::iota(sizes.begin(), sizes.end(), 1);
  return sizes;
}

// oneDNN 3.7's vanilla GRU answers wrong numbers with one hidden unit (off by 0.2; 2.6 does not). Nobody needs that
// network fast, and everybody needs it right.
bool OneDnnIsWrongFor(const LayerShape& shape) {
  return shape.cell == Cell::kGru && shape.gru_reset == GruReset::kBefore && shape.hidden_size == 1;
}

absl::StatusOr<LayerKernels> MakeOneDnnKernels(const std::vector<LayerShape>& shapes,
                                               const std::vector<LayerWeights>& weights,
                                               std::vector<size_t> batch_sizes) {
  LayerKernels kernels;
  kernels.batch_sizes = std::move(batch_sizes);
  for (size_t layer = 0; layer < shapes.size(); ++layer) {
    if (OneDnnIsWrongFor(shapes[layer])) {
      kernels.layers.push_back(MakeReferenceKernel(shapes[layer], weights[layer]));
    } else {
      auto kernel = MakeOneDnnKernel(shapes[layer], weights[layer], kernels.batch_sizes);
      if (!kernel.ok()) return kernel.status();
      kernels.layers.push_back(*std::move(kernel));
    }
  }
  kernels.name = kernels.layers.back()->name();
  return kernels;
}

LayerKernels MakeKernelsOfOurs(const std::vector<LayerShape>& shapes, const std::vector<LayerWeights>& weights,
                               KernelKind kind, const KernelOptions& options) {
  LayerKernels kernels;
  kernels.batch_sizes = AllBatchSizes(options.max_batch_size);
  kernels.deterministic = true;
  for (size_t layer = 0; layer < shapes.size(); ++layer) {
    kernels.layers.push_back(kind == KernelKind::kReference
                                 ? MakeReferenceKernel(shapes[layer], weights[layer])
                                 : MakeRondoKernel(shapes[layer], weights[layer], options.max_batch_size,
                                                   options.instruction_set,
                                                   options.weights.value_or(WeightFormat::kF32)));
  }
  kernels.name = kernels.layers.back()->name();
  return kernels;
}

}  // namespace

KernelKind ChooseKernel(const std::vector<LayerShape>&, InstructionSet instruction_set) {
  return instruction_set == InstructionSet::kPlain ? KernelKind::kOneDnn : KernelKind::kRondo;
}

absl::StatusOr<LayerKernels> MakeLayerKernels(const std::vector<LayerShape>& shapes,
                                              const std::vector<LayerWeights>& weights, const KernelOptions& options) {
  const WeightFormat format = options.weights.value_or(WeightFormat::kF32);
  const bool narrow = format != WeightFormat::kF32;
  KernelKind kind = options.kernel;
  if (kind == KernelKind::kAuto) kind = narrow ? KernelKind::kRondo : ChooseKernel(shapes, options.instruction_set);
  if (narrow && kind != KernelKind::kRondo) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights are to be held as ", WeightFormatName(format),
                     "; wanted f32, or the kernel rondo or auto, which alone reads them"));
  }
  if (kind != KernelKind::kOneDnn) return MakeKernelsOfOurs(shapes, weights, kind, options);
  return MakeOneDnnKernels(shapes, weights, SpacedBatchSizes(options.max_batch_size));
}

}  // namespace rondo
