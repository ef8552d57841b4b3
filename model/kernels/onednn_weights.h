#ifndef RONDO_MODEL_KERNELS_ONEDNN_WEIGHTS_H_
#define RONDO_MODEL_KERNELS_ONEDNN_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "model/kernels/layer.h"

namespace rondo {

// A layer's weights in oneDNN's convention and plain layouts (ldigo, ldgo): gates i,f,c~,o for lstm, u,r,o for gru.
struct OneDnnWeights {
  int64_t gates = 0;
  int64_t bias_gates = 0;    // one more for gru with reset after: the candidate's recurrent bias stands apart
  std::vector<float> layer;  // [input width][gates][hidden_size]
  std::vector<float> iter;   // [hidden_size][gates][hidden_size]
  std::vector<float> bias;   // [bias_gates][hidden_size]
};

// Translates from the file's convention. REQUIRES: the sizes of `weights` follow from the shape.
OneDnnWeights ToOneDnn(const LayerShape& shape, const LayerWeights& weights);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ONEDNN_WEIGHTS_H_
