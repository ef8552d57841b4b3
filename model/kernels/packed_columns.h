#ifndef RONDO_MODEL_KERNELS_PACKED_COLUMNS_H_
#define RONDO_MODEL_KERNELS_PACKED_COLUMNS_H_

#include <cstddef>

#include "absl/types/span.h"
#include "model/kernels/aligned_buffer.h"
#include "model/kernels/layer.h"

namespace rondo {

constexpr size_t kLanes = 16;  // columns of a panel of weights, whatever the machine's vectors are

// Columns of a matrix product in panels of kLanes units of one gate. The panels of a block of units stand side by side:
// [block][gates][inputs + hiddens][kLanes]. Columns past the last unit are zeros.
struct PackedColumns {
  WeightFormat format = WeightFormat::kF32;
  size_t gates = 0;
  size_t inputs = 0;      // rows of weights that x is multiplied by: input_size, or 0
  size_t hiddens = 0;     // rows of weights that h is multiplied by: hidden_size, or 0
  AlignedBuffer weights;  // [blocks][gates][inputs + hiddens][kLanes] of float, uint16_t (bf16) or int8_t
  AlignedBuffer bias;     // [blocks][gates][kLanes]
  // int8 only, [blocks][gates][2][kLanes]: what the sum over x is multiplied by before that over h is added to it, and
  // then the whole sum before the bias is.
  AlignedBuffer factors;

  size_t panel_size() const { return (inputs + hiddens) * kLanes; }
  size_t weight_bytes() const {
    return format == WeightFormat::kInt8 ? 1 : format == WeightFormat::kBf16 ? 2 : sizeof(float);
  }
  size_t panel_bytes() const { return panel_size() * weight_bytes(); }
  const char* panel(size_t index) const { return reinterpret_cast<const char*>(weights.get()) + index * panel_bytes(); }
};

// All zeros. Throws std::bad_alloc.
PackedColumns MakeColumns(WeightFormat format, size_t panels, size_t gates, size_t inputs, size_t hiddens);

// One column of a product: finite weights, and what their sum begins with.
struct Column {
  absl::Span<const float> of_x;  // [inputs]
  absl::Span<const float> of_h;  // [hiddens]
  float bias = 0;
  float sign = 1;  // -1: all of them are negated
};

// Rounds the column's weights to the format, to the nearest and ties to even, and puts them into place: `lane` of the
// panel `panel`.
void PutColumn(const Column& column, size_t panel, size_t lane, PackedColumns* columns);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_PACKED_COLUMNS_H_
