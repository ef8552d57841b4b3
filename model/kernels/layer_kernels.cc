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
                               KernelKind kind, WeightFormat format, const KernelOptions& options) {
  LayerKernels kernels;
  kernels.batch_sizes = AllBatchSizes(options.max_batch_size);
  kernels.deterministic = true;
  kernels.weights = format;
  for (size_t layer = 0; layer < shapes.size(); ++layer) {
    kernels.layers.push_back(
        kind == KernelKind::kReference
            ? MakeReferenceKernel(shapes[layer], weights[layer])
            : MakeRondoKernel(shapes[layer], weights[layer], options.max_batch_size, options.instruction_set, format));
  }
  kernels.name = kernels.layers.back()->name();
  return kernels;
}

// Returns the bytes that the recurrent weights of all layers take as float32.
size_t WeightBytes(const std::vector<LayerWeights>& weights) {
  size_t floats = 0;
  for (const LayerWeights& layer : weights) floats += layer.weight_ih.size() + layer.weight_hh.size();
  return floats * sizeof(float);
}

}  // namespace

KernelKind ChooseKernel(const std::vector<LayerShape>&, InstructionSet instruction_set) {
  return instruction_set == InstructionSet::kPlain ? KernelKind::kOneDnn : KernelKind::kRondo;
}

absl::StatusOr<LayerKernels> MakeLayerKernels(const std::vector<LayerShape>& shapes,
                                              const std::vector<LayerWeights>& weights, const KernelOptions& options) {
  const WeightFormat wanted = options.weights.value_or(WeightFormat::kF32);
  if (wanted != WeightFormat::kF32 && options.kernel != KernelKind::kAuto && options.kernel != KernelKind::kRondo) {
    return absl::InvalidArgumentError(
        absl::StrCat("the weights are to be held as ", WeightFormatName(wanted),
                     "; wanted f32, or the kernel rondo or auto, which alone reads them"));
  }
  const WeightFormat format = WeightBytes(weights) < options.narrow_from_bytes ? WeightFormat::kF32 : wanted;
  KernelKind kind = options.kernel;
  if (kind == KernelKind::kAuto) {
    kind = format != WeightFormat::kF32 ? KernelKind::kRondo : ChooseKernel(shapes, options.instruction_set);
  }
  if (kind != KernelKind::kOneDnn) return MakeKernelsOfOurs(shapes, weights, kind, format, options);
  return MakeOneDnnKernels(shapes, weights, SpacedBatchSizes(options.max_batch_size));
}

}  // namespace rondo
