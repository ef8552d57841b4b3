#ifndef RONDO_MODEL_KERNELS_PACKED_LAYER_H_
#define RONDO_MODEL_KERNELS_PACKED_LAYER_H_

#include <cstddef>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/layer.h"

namespace rondo {

constexpr size_t kLanes = 16;  // columns of a panel of weights, whatever the machine's vectors are

// Columns of a matrix product in panels of kLanes units of one gate. The panels of a block of units stand side by side:
// [block][gates][inputs + hiddens][kLanes]. Columns past the last unit are zeros.
struct PackedColumns {
  size_t gates = 0;
  size_t inputs = 0;      // rows of weights that x is multiplied by: input_size, or 0
  size_t hiddens = 0;     // rows of weights that h is multiplied by: hidden_size, or 0
  AlignedBuffer weights;  // [blocks][gates][inputs + hiddens][kLanes]
  AlignedBuffer bias;     // [blocks][gates][kLanes]

  size_t panel_size() const { return (inputs + hiddens) * kLanes; }
};

// One layer's weights as our kernels read them, shared by all batch sizes. The update gate of a gru is negated where
// the model replaces, since 1 - sigmoid(a) = sigmoid(-a): the kernels know the keeping one only.
struct PackedLayer {
  LayerShape shape;
  size_t blocks = 0;  // of kLanes units, the last one may be part of one
  // lstm: {i,f,g,o of x and h}; rnn: {of x and h}; gru with reset after: {r,z of x and h}, {n of x}, {n of h}; gru with
  // reset before: {r,z of x and h}, {n of x and r * h}.
  std::vector<PackedColumns> columns;
};

// REQUIRES: the sizes of `weights` follow from the shape. Throws std::bad_alloc.
PackedLayer Pack(const LayerShape& shape, const LayerWeights& weights);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_PACKED_LAYER_H_
