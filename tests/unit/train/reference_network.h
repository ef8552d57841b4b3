#ifndef RONDO_TESTS_UNIT_TRAIN_REFERENCE_NETWORK_H_
#define RONDO_TESTS_UNIT_TRAIN_REFERENCE_NETWORK_H_

#include <vector>

#include "model/train/backprop.h"
#include "model/train/loss.h"
#include "model/train/network_shape.h"

namespace rondo::train {

// The mean loss of a network over a window, from a zero state, in plain loops and double: the oracle for gradients.
// Written from the formulas of PyTorch's nn.LSTM, nn.GRU, nn.RNN and, for reset-before, of Cho et al. 2014; shares no
// code with model/train. `parameters` has the layout of ParameterLayout.
double ReferenceLoss(const NetworkShape& shape, const Loss& loss, int64_t timesteps, int64_t batch_size,
                     const Batch& batch, const std::vector<double>& parameters);

}  // namespace rondo::train

#endif  // RONDO_TESTS_UNIT_TRAIN_REFERENCE_NETWORK_H_
