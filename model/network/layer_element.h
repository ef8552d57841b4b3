#ifndef RONDO_MODEL_NETWORK_LAYER_ELEMENT_H_
#define RONDO_MODEL_NETWORK_LAYER_ELEMENT_H_

#include <memory>

#include "model/kernels/cell_kernel.h"
#include "model/kernels/layer.h"
#include "model/network/element.h"

namespace rondo {

// The element that a layer of kernels/ runs as a whole. Its state is h, then c for an lstm; its output is h.
std::unique_ptr<ElementKernel> MakeLayerElement(std::unique_ptr<CellKernel> kernel, const LayerShape& shape);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_LAYER_ELEMENT_H_
