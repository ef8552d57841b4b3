#ifndef RONDO_MODEL_NETWORK_CELL_STATES_H_
#define RONDO_MODEL_NETWORK_CELL_STATES_H_

#include <cstddef>
#include <cstring>

#include "base/finite.h"
#include "model/kernels/aligned_buffer.h"
#include "model/network/element.h"

namespace rondo {

// A cell tied to its buffers: what becomes of the states that a step of it leaves. h is the cell's output, and c, which
// only an LSTM has, stands behind h in a row's state. What derives from it computes both.
class BoundCellStates : public BoundElement {
 public:
  BoundCellStates(size_t hidden, bool has_c, const ElementBuffers& buffers)
      : hidden_(hidden),
        has_c_(has_c),
        state_offset_(buffers.state_offset),
        h_out_(buffers.output),
        c_out_(has_c ? buffers.max_batch_size * hidden : 0) {}

  void CheckStates(absl::Span<StepRow> rows) const final {
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].finite = rows[i].finite && AllFinite({h_out_ + i * hidden_, hidden_}) &&
                       (!has_c_ || AllFinite({c_out_.get() + i * hidden_, hidden_}));
    }
  }

  void Commit(absl::Span<const StepRow> rows) const final {
    const size_t row_bytes = hidden_ * sizeof(float);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].finite) continue;
      float* const to = rows[i].state_out + state_offset_;
      std::memcpy(to, h_out_ + i * hidden_, row_bytes);
      if (has_c_) std::memcpy(to + hidden_, c_out_.get() + i * hidden_, row_bytes);
    }
  }

 protected:
  // The row's h before the step; c stands behind it.
  const float* StateOf(const StepRow& row) const { return row.state_in + state_offset_; }

  const size_t hidden_;
  const bool has_c_;
  const size_t state_offset_;
  float* const h_out_;         // [max_batch_size][hidden]
  const AlignedBuffer c_out_;  // likewise; empty without c
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_CELL_STATES_H_
