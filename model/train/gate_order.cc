#include "model/train/gate_order.h"

#include <algorithm>

#include "model/weights.h"

namespace rondo::train {

int64_t GateOrder::gates() const { return GateCount(options_.cell); }

void GateOrder::FromFile(const float* file, int64_t width, float* ordered) const {
  const int64_t block = options_.hidden_size * width;
  for (int64_t g = 0; g < gates(); ++g) {
    const float* from = file + Source(g) * block;
    std::transform(from, from + block, ordered + g * block, [sign = Sign(g)](float w) { return sign * w; });
  }
}

void GateOrder::AddToFile(const float* ordered, int64_t width, float* file) const {
  const int64_t block = options_.hidden_size * width;
  for (int64_t g = 0; g < gates(); ++g) {
    const float* from = ordered + g * block;
    float* to = file + Source(g) * block;
    for (int64_t i = 0; i < block; ++i) to[i] += Sign(g) * from[i];
  }
}

void GateOrder::JoinBiases(const float* bias_ih, const float* bias_hh, float* joined) const {
  const int64_t H = options_.hidden_size;
  for (int64_t g = 0; g < gates(); ++g) {
    const float* ih = bias_ih + Source(g) * H;
    const float* hh = bias_hh + Source(g) * H;
    // Reset after: the recurrent bias of n stays inside the reset gate, as a fourth gate of oneDNN's.
    const bool apart = reset_after() && g == 2;
    for (int64_t i = 0; i < H; ++i) joined[g * H + i] = Sign(g) * (apart ? ih[i] : ih[i] + hh[i]);
    if (apart) std::copy_n(hh, H, joined + 3 * H);
  }
}

void GateOrder::AddBiasGradients(const float* joined, float* bias_ih, float* bias_hh) const {
  const int64_t H = options_.hidden_size;
  for (int64_t g = 0; g < gates(); ++g) {
    float* ih = bias_ih + Source(g) * H;
    float* hh = bias_hh + Source(g) * H;
    const float* hh_from = joined + (reset_after() && g == 2 ? 3 : g) * H;
    for (int64_t i = 0; i < H; ++i) {
      ih[i] += Sign(g) * joined[g * H + i];
      hh[i] += Sign(g) * hh_from[i];
    }
  }
}

}  // namespace rondo::train
