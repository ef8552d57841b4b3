#ifndef RONDO_MODEL_KERNELS_PACKED_LAYER_H_
#define RONDO_MODEL_KERNELS_PACKED_LAYER_H_

#include <cstddef>
#include <vector>

#include "model/kernels/layer.h"
#include "model/kernels/packed_columns.h"

namespace rondo {

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
PackedLayer Pack(const LayerShape& shape, const LayerWeights& weights, WeightFormat format);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_PACKED_LAYER_H_
