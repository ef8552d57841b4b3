#ifndef RONDO_MODEL_NETWORK_CELL_KERNEL_H_
#define RONDO_MODEL_NETWORK_CELL_KERNEL_H_

#include <memory>

#include "model/kernels/activation_function.h"
#include "model/kernels/layer.h"
#include "model/network/element.h"

namespace rondo {

// A cell in any of its forms. shape.activation is a plain rnn's.
struct CellForm {
  LayerShape shape;
  ActivationFunction gate{FunctionKind::kSigmoid};
  ActivationFunction candidate{FunctionKind::kTanh};
  ActivationFunction output{FunctionKind::kTanh};  // lstm only
  bool peepholes = false;                          // lstm only
};

// True if the layers of kernels/ have this form.
bool IsLayer(const CellForm& form);

// A cell of any form: packed products, then its gates one after the other. weights: weight_ih, weight_hh, bias_ih,
// bias_hh, and with peepholes those of i, f, o.
std::unique_ptr<ElementKernel> MakeCellKernel(const CellForm& form, SlotValues weights, const KernelOptions& options);

// One timestep in float64. state: h, then c for an lstm. Returns h.
Doubles ReferenceCell(const CellForm& form, const Doubles& x, SlotValues weights, Doubles* state);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_CELL_KERNEL_H_
