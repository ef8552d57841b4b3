#ifndef RONDO_MODEL_REFERENCE_KERNEL_H_
#define RONDO_MODEL_REFERENCE_KERNEL_H_

#include <cstdint>
#include <memory>

#include "model/cell_kernel.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {

// Plain loops over the published formulas, float64 inside: slow, any batch size, and what the fast kernel is judged by.
// `input_size` is the layer's input width; the sizes of `weights` follow from it and from the spec.
std::unique_ptr<CellKernel> MakeReferenceKernel(const ModelSpec& spec, int64_t input_size, LayerWeights weights);

}  // namespace rondo

#endif  // RONDO_MODEL_REFERENCE_KERNEL_H_
