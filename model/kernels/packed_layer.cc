#include "model/kernels/packed_layer.h"

#include "absl/types/span.h"

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
  Packer(const LayerShape& shape, const LayerWeights& weights, WeightFormat format)
      : weights_(weights),
        format_(format),
        negated_gate_(shape.cell == Cell::kGru && shape.gru_update == GruUpdate::kReplace ? 1 : kNoGate),
        input_size_(shape.input_size),
        hidden_size_(shape.hidden_size),
        blocks_((hidden_size_ + kLanes - 1) / kLanes) {}

  // `gates`: their places in the file's order.
  PackedColumns Pack(const std::vector<size_t>& gates, Products products) const {
    PackedColumns packed = MakeColumns(format_, blocks_ * gates.size(), gates.size(),
                                       products.of_input ? input_size_ : 0, products.of_hidden ? hidden_size_ : 0);
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
    Column column;
    column.sign = from_gate == negated_gate_ ? -1.0f : 1.0f;
    if (products.of_input) {
      column.of_x = absl::MakeConstSpan(weights_.weight_ih).subspan(from * input_size_, input_size_);
      column.bias += weights_.bias_ih[from];
    }
    if (products.of_hidden) {
      column.of_h = absl::MakeConstSpan(weights_.weight_hh).subspan(from * hidden_size_, hidden_size_);
      column.bias += weights_.bias_hh[from];
    }
    PutColumn(column, unit / kLanes * packed->gates + gate, unit % kLanes, packed);
  }

  const LayerWeights& weights_;
  const WeightFormat format_;
  const size_t negated_gate_;
  const size_t input_size_;
  const size_t hidden_size_;
  const size_t blocks_;
};

}  // namespace

PackedLayer Pack(const LayerShape& shape, const LayerWeights& weights, WeightFormat format) {
  const Packer packer(shape, weights, format);
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
