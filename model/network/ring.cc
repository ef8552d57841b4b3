#include "model/network/ring.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/finite.h"
#include "model/kernels/aligned_buffer.h"

namespace rondo {
namespace {

constexpr size_t kMaxScratchFloats = size_t{1} << 16;
constexpr size_t kLeastRows = 12;

struct RingForm {
  Ring ring;
  size_t output_size;
  RingStep step;
  size_t scratch_floats;  // of a row

  size_t RowsAtOnce(size_t max_batch_size) const {
    if (scratch_floats == 0) return max_batch_size;
    return std::min(max_batch_size, std::max(kLeastRows, kMaxScratchFloats / scratch_floats));
  }
};

class BoundRing : public BoundElement {
 public:
  BoundRing(const RingForm& form, const ElementBuffers& buffers)
      : form_(form),
        buffers_(buffers),
        rows_at_once_(form.RowsAtOnce(buffers.max_batch_size)),
        scratch_(form.scratch_floats * rows_at_once_) {}

  bool Run(absl::Span<const StepRow> rows, size_t) override {
    for (size_t done = 0; done < rows.size(); done += rows_at_once_) {
      form_.step(ColumnOf(done), rows.subspan(done, rows_at_once_), buffers_.state_offset,
                 buffers_.output + done * form_.output_size, scratch_.get());
    }
    return true;
  }

  void CheckStates(absl::Span<StepRow> rows) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].finite = rows[i].finite && AllFinite({ColumnOf(i), form_.ring.width()});
    }
  }

  void Commit(absl::Span<const StepRow> rows) const override {
    const size_t offset = buffers_.state_offset;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].finite) form_.ring.Push(ColumnOf(i), rows[i].state_in + offset, rows[i].state_out + offset);
    }
  }

 private:
  const float* ColumnOf(size_t row) const { return buffers_.inputs[0] + row * form_.ring.width(); }

  const RingForm& form_;
  const ElementBuffers buffers_;
  const size_t rows_at_once_;
  const AlignedBuffer scratch_;
};

class RingKernel : public ElementKernel {
 public:
  explicit RingKernel(RingForm form) : form_(std::move(form)) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<BoundRing>(form_, buffers);
  }

 private:
  const RingForm form_;
};

}  // namespace

float* Ring::CopyNewest(const float* state, size_t count, float* to) const {
  const size_t place = Place(state) % slots_;
  const size_t first = place >= count ? place - count : place + slots_ - count;
  const size_t before_end = std::min(count, slots_ - first);
  to = std::copy_n(state + 1 + first * width_, before_end * width_, to);
  return std::copy_n(state + 1, (count - before_end) * width_, to);
}

void Ring::Push(const float* column, const float* state_in, float* state_out) const {
  const size_t place = Place(state_in);
  if (state_out != state_in) std::memcpy(state_out, state_in, size() * sizeof(float));
  std::memcpy(state_out + 1 + place % slots_ * width_, column, width_ * sizeof(float));
  state_out[0] = static_cast<float>(place + 1 == 2 * slots_ ? slots_ : place + 1);
}

std::unique_ptr<ElementKernel> MakeRingKernel(const Ring& ring, size_t output_size, RingStep step,
                                              size_t scratch_floats) {
  return std::make_unique<RingKernel>(RingForm{ring, output_size, std::move(step), scratch_floats});
}

}  // namespace rondo
