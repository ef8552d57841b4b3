#include "model/kernels/packed_layer.h"

#include <algorithm>
#include <utility>

namespace rondo {
namespace {

// Which of the two products of a gate its columns hold.
struct Products {
  bool of_input = true;
  bool of_hidden = true;
};

// The panels of one layer, some gates at a time.
class Packer {
 public:
  Packer(const LayerShape& shape, const LayerWeights& weights)
      : weights_(weights),
        negated_gate_(shape.cell == Cell::kGru && shape.gru_update == GruUpdate::kReplace ? 1 : kNoGate),
        input_size_(shape.input_size),
        hidden_size_(shape.hidden_size),
        blocks_((hidden_size_ + kLanes - 1) / kLanes) {}

  // `gates`: their places in the file's order.
  PackedColumns Pack(const std::vector<size_t>& gates, Products products) const {
    PackedColumns packed;
    packed.gates = gates.size();
    packed.inputs = products.of_input ? input_size_ : 0;
    packed.hiddens = products.of_hidden ? hidden_size_ : 0;
    packed.weights = AlignedBuffer(blocks_ * packed.gates * packed.panel_size());
    packed.bias = AlignedBuffer(blocks_ * packed.gates * kLanes);
    for (size_t gate = 0; gate < gates.size(); ++gate) {
      for (size_t unit = 0; unit < hidden_size_; ++unit) PackUnit(gates[gate], unit, products, gate, &packed);
    }
    return packed;
  }

  size_t blocks() const { return blocks_; }

 private:
  static constexpr size_t kNoGate = static_cast<size_t>(-1);

  void PackUnit(size_t from_gate, size_t unit, Products products, size_t gate, PackedColumns* packed) const {
    const size_t from = from_gate * hidden_size_ + unit;
    const size_t panel = unit / kLanes * packed->gates + gate;
    const float sign = from_gate == negated_gate_ ? -1.0f : 1.0f;
    float* to = packed->weights.get() + panel * packed->panel_size() + unit % kLanes;
    const auto put = [&](const std::vector<float>& weight, size_t size) {
      const float* row = &weight[from * size];
      for (size_t k = 0; k < size; ++k, to += kLanes) *to = sign * row[k];
    };
    if (products.of_input) put(weights_.weight_ih, input_size_);
    if (products.of_hidden) put(weights_.weight_hh, hidden_size_);
    const float bias =
        (products.of_input ? weights_.bias_ih[from] : 0.0f) + (products.of_hidden ? weights_.bias_hh[from] : 0.0f);
    packed->bias.get()[panel * kLanes + unit % kLanes] = sign * bias;
  }

  const LayerWeights& weights_;
  const size_t negated_gate_;
  const size_t input_size_;
  const size_t hidden_size_;
  const size_t blocks_;
};

}  // namespace

PackedLayer Pack(const LayerShape& shape, const LayerWeights& weights) {
  const Packer packer(shape, weights);
  PackedLayer layer;
  layer.shape = shape;
  layer.blocks = packer.blocks();
  switch (shape.cell) {
    case Cell::kLstm:
      layer.columns.push_back(packer.Pack({0, 1, 2, 3}, {}));
      break;
    case Cell::kGru:
      layer.columns.push_back(packer.Pack({0, 1}, {}));
      if (shape.gru_reset == GruReset::kBefore) {
        layer.columns.push_back(packer.Pack({2}, {}));
      } else {
        layer.columns.push_back(packer.Pack({2}, {true, false}));
        layer.columns.push_back(packer.Pack({2}, {false, true}));
      }
      break;
    case Cell::kRnn:
      layer.columns.push_back(packer.Pack({0}, {}));
      break;
  }
  return layer;
}

}  // namespace rondo
