#ifndef RONDO_MODEL_NETWORK_RING_H_
#define RONDO_MODEL_NETWORK_RING_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "model/network/element.h"

namespace rondo {

// The last columns that an element saw, as they lie in a session's state: the place of the next one, then the columns.
// A step writes the place and one column; the others stay where they are. A state of zeros is a ring that saw nothing.
class Ring {
 public:
  // slots >= 1: how many columns are kept; width: floats of one.
  Ring(size_t slots, size_t width) : slots_(slots), width_(width) {}

  size_t slots() const { return slots_; }
  size_t width() const { return width_; }
  size_t size() const { return 1 + slots_ * width_; }

  // How many columns the ring holds. A place that no ring has, in a state that came from outside, is taken for 0.
  size_t filled(const float* state) const { return Place(state) < slots_ ? Place(state) : slots_; }
  // The column that was pushed `age` pushes ago, 1 to slots(); zeros if there were fewer.
  const float* Column(const float* state, size_t age) const {
    const size_t place = Place(state) % slots_;
    return state + 1 + (place >= age ? place - age : place + slots_ - age) * width_;
  }
  // Copies the `count` newest columns, the oldest of them first; count <= slots(). Returns the end of the copy.
  float* CopyNewest(const float* state, size_t count, float* to) const;
  // Writes `column` in place of the oldest. state_out may be state_in.
  void Push(const float* column, const float* state_in, float* state_out) const;

 private:
  // Below slots until so many columns came; from then on slots to 2 * slots - 1.
  size_t Place(const float* state) const {
    const float place = state[0];
    return place >= 0 && place < static_cast<float>(2 * slots_) ? static_cast<size_t>(place) : 0;
  }

  const size_t slots_;
  const size_t width_;
};

// Computes rows of an element whose state is a ring of its input: row i's state is rows[i].state_in + state_offset.
using RingStep = std::function<void(const float* input, absl::Span<const StepRow> rows, size_t state_offset,
                                    float* output, float* scratch)>;

// The kernel of such an element. output_size: floats that one row answers; scratch_floats: what one row needs besides.
// `step` runs as many rows at once as their scratch stays in the cache for.
std::unique_ptr<ElementKernel> MakeRingKernel(const Ring& ring, size_t output_size, RingStep step,
                                              size_t scratch_floats = 0);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_RING_H_
