#include "model/kernels/packed_columns.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace rondo {
namespace {

constexpr double kLargestInt8 = 127;

uint16_t ToBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  // The largest floats would round to infinity.
  return static_cast<uint16_t>((rounded & 0x7fffu) == 0x7f80u ? rounded - 1 : rounded);
}

// The weight that one step of an int8 stands for; 0: all weights are zero, or as good as that.
double FactorOf(absl::Span<const float> weights) {
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  return largest < FLT_MIN * 1e6f ? 0 : largest / kLargestInt8;
}

struct Factors {
  double of_x;
  double of_h;
};

// Their quotient is a float: one of them that is far smaller than the other is made larger, which rounds its weights by
// less than float32 can tell in the sum.
Factors FactorsOf(const Column& column) {
  constexpr double kLeastQuotient = 1e-12;
  double of_x = FactorOf(column.of_x), of_h = FactorOf(column.of_h);
  if (of_x == 0 && of_h == 0) return {1, 1};
  of_x = std::max(of_x, of_h * kLeastQuotient);
  of_h = std::max(of_h, of_x * kLeastQuotient);
  if (column.of_h.empty()) of_h = of_x;
  if (column.of_x.empty()) of_x = of_h;
  return {of_x, of_h};
}

template <typename Weight, typename Convert>
void Put(const Column& column, size_t panel, size_t lane, PackedColumns* columns, const Convert& convert) {
  Weight* to = reinterpret_cast<Weight*>(columns->weights.get()) + panel * columns->panel_size() + lane;
  for (const bool of_x : {true, false}) {
    for (const float weight : of_x ? column.of_x : column.of_h) {
      *to = convert(column.sign * weight, of_x);
      to += kLanes;
    }
  }
}

void PutInt8(const Column& column, size_t panel, size_t lane, PackedColumns* columns) {
  const Factors factors = FactorsOf(column);
  float* const to = columns->factors.get() + panel * 2 * kLanes + lane;
  to[0] = static_cast<float>(factors.of_x / factors.of_h);
  to[kLanes] = static_cast<float>(factors.of_h);
  Put<int8_t>(column, panel, lane, columns, [&](float weight, bool of_x) {
    const double steps = std::nearbyint(weight / (of_x ? factors.of_x : factors.of_h));
    return static_cast<int8_t>(std::clamp(steps, -kLargestInt8, kLargestInt8));
  });
}

}  // namespace

PackedColumns MakeColumns(WeightFormat format, size_t panels, size_t gates, size_t inputs, size_t hiddens) {
  PackedColumns columns;
  columns.format = format;
  columns.gates = gates;
  columns.inputs = inputs;
  columns.hiddens = hiddens;
  columns.weights = AlignedBuffer((panels * columns.panel_bytes() + sizeof(float) - 1) / sizeof(float));
  columns.bias = AlignedBuffer(panels * kLanes);
  if (format == WeightFormat::kInt8) columns.factors = AlignedBuffer(panels * 2 * kLanes);
  return columns;
}

void PutColumn(const Column& column, size_t panel, size_t lane, PackedColumns* columns) {
  columns->bias.get()[panel * kLanes + lane] = column.sign * column.bias;
  switch (columns->format) {
    case WeightFormat::kF32:
      return Put<float>(column, panel, lane, columns, [](float weight, bool) { return weight; });
    case WeightFormat::kBf16:
      return Put<uint16_t>(column, panel, lane, columns, [](float weight, bool) { return ToBf16(weight); });
    case WeightFormat::kInt8:
      return PutInt8(column, panel, lane, columns);
  }
}

}  // namespace rondo
