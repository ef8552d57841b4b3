#ifndef RONDO_MODEL_NETWORK_STATELESS_H_
#define RONDO_MODEL_NETWORK_STATELESS_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "model/network/element.h"

namespace rondo {

// Computes `num_rows` rows; inputs[i]: [num_rows][width of input i]; scratch: the floats that were asked for.
using StatelessStep = std::function<void(const float* const* inputs, size_t num_rows, float* output, float* scratch)>;

// The kernel of an element that keeps no state. `scratch_floats`: what a step needs besides its buffers.
std::unique_ptr<ElementKernel> MakeStateless(StatelessStep step, size_t scratch_floats = 0);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_STATELESS_H_
