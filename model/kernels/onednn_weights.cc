#include "model/kernels/onednn_weights.h"

#include <cstddef>

namespace rondo {
namespace {

// The gate of the file that each of oneDNN's gates comes from: lstm i,f,g,o on both sides; gru r,z,n becomes u,r,o.
std::vector<int64_t> GateOrder(Cell cell) {
  switch (cell) {
    case Cell::kLstm:
      return {0, 1, 2, 3};
    case Cell::kGru:
      return {1, 0, 2};
    case Cell::kRnn:
      break;
  }
  return {0};
}

// [G * H][I] of the file to oneDNN's [I][G][H].
std::vector<float> Transpose(const std::vector<float>& from, const std::vector<int64_t>& order, float update_sign,
                             int64_t I, int64_t H) {
  const int64_t G = order.size();
  std::vector<float> to(from.size());
  for (int64_t g = 0; g < G; ++g) {
    const float sign = g == 0 ? update_sign : 1.0f;
    for (int64_t o = 0; o < H; ++o) {
      const float* row = &from[(order[g] * H + o) * I];
      for (int64_t i = 0; i < I; ++i) to[(i * G + g) * H + o] = sign * row[i];
    }
  }
  return to;
}

}  // namespace

// oneDNN's gru computes h = u * h_prev + (1 - u) * o. Since 1 - sigmoid(a) = sigmoid(-a), the "replace" convention is
// this cell with its update gate negated.
OneDnnWeights ToOneDnn(const LayerShape& shape, const LayerWeights& weights) {
  const int64_t I = shape.input_size;
  const int64_t H = shape.hidden_size;
  const std::vector<int64_t> order = GateOrder(shape.cell);
  const bool negate = shape.cell == Cell::kGru && shape.gru_update == GruUpdate::kReplace;
  const float update_sign = negate ? -1.0f : 1.0f;
  const bool reset_after = shape.cell == Cell::kGru && shape.gru_reset == GruReset::kAfter;

  OneDnnWeights plain;
  plain.gates = order.size();
  plain.bias_gates = plain.gates + (reset_after ? 1 : 0);
  plain.layer = Transpose(weights.weight_ih, order, update_sign, I, H);
  plain.iter = Transpose(weights.weight_hh, order, update_sign, H, H);
  plain.bias.reserve(plain.bias_gates * H);
  for (size_t g = 0; g < order.size(); ++g) {
    const bool separate = reset_after && g == 2;  // lbr_gru keeps the candidate's recurrent bias apart, as a 4th gate
    for (int64_t o = 0; o < H; ++o) {
      const size_t at = order[g] * H + o;
      const float sum = weights.bias_ih[at] + (separate ? 0.0f : weights.bias_hh[at]);
      plain.bias.push_back(g == 0 ? update_sign * sum : sum);
    }
  }
  if (reset_after) plain.bias.insert(plain.bias.end(), weights.bias_hh.begin() + 2 * H, weights.bias_hh.end());
  return plain;
}

}  // namespace rondo
