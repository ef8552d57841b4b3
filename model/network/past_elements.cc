#include "model/network/past_elements.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "model/network/ring.h"

namespace rondo {
namespace {

// Returns how many columns a state in float64 holds, which has the place and the columns as the ring's has them.
size_t ReferenceFilled(const Doubles& state, size_t slots) { return std::min(static_cast<size_t>(state[0]), slots); }

// The column `age` pushes ago; the reference keeps the newest first.
void ReferencePush(const Doubles& column, Doubles* state) {
  std::copy_backward(state->begin() + 1, state->end() - static_cast<std::ptrdiff_t>(column.size()), state->end());
  std::copy(column.begin(), column.end(), state->begin() + 1);
  (*state)[0] += 1;
}

class LagWindow : public Element {
 public:
  explicit LagWindow(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_.channels = reader.Whole("length", {1, int64_t{1} << 16});
    minus_newest_ = reader.Flag("minus_newest", false);
    state_size_ = output_.channels + 1;
    if (reader.input().size() != 1) {
      reader.Refuse(absl::StrCat(reader.Where("of"), " names a value of ", reader.input().size(),
                                 " numbers; a lag_window takes one"));
    }
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const Ring ring(static_cast<size_t>(output_.channels), 1);
    return MakeRingKernel(ring, ring.slots(),
                          [ring, minus = minus_newest_](const float* input, absl::Span<const StepRow> rows,
                                                        size_t offset, float* output, float*) {
                            const size_t length = ring.slots();
                            for (size_t i = 0; i < rows.size(); ++i, output += length) {
                              const float* const state = rows[i].state_in + offset;
                              const float newest = input[i];
                              const size_t past = std::min(ring.filled(state), length - 1), missing = length - 1 - past;
                              const float first = !minus ? 0.0f : past == 0 ? newest : *ring.Column(state, past);
                              std::fill_n(output, missing, first);
                              *ring.CopyNewest(state, past, output + missing) = newest;
                              if (!minus) continue;
                              for (size_t k = 0; k < length; ++k) output[k] -= newest;
                            }
                          });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles* state) const override {
    const size_t length = static_cast<size_t>(output_.channels);
    const size_t past = std::min(ReferenceFilled(*state, length), length - 1);
    const double newest = inputs[0][0];
    Doubles y(length, !minus_newest_ ? 0 : past == 0 ? newest : (*state)[past]);
    for (size_t age = 1; age <= past; ++age) y[length - 1 - age] = (*state)[age];
    y[length - 1] = newest;
    if (minus_newest_) {
      for (double& value : y) value -= newest;
    }
    ReferencePush(inputs[0], state);
    return y;
  }

 private:
  bool minus_newest_ = false;
};

class Delay : public Element {
 public:
  explicit Delay(AttributeReader& reader) {
    reader.TakeInputs(1);
    steps_ = reader.Whole("steps", {1, int64_t{1} << 16}, 1);
    output_ = reader.input();
    state_size_ = 1 + steps_ * output_.size();
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const Ring ring(static_cast<size_t>(steps_), static_cast<size_t>(output_.size()));
    return MakeRingKernel(
        ring, ring.width(), [ring](const float*, absl::Span<const StepRow> rows, size_t offset, float* output, float*) {
          for (const StepRow& row : rows) {
            output = std::copy_n(ring.Column(row.state_in + offset, ring.slots()), ring.width(), output);
          }
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles* state) const override {
    const auto size = static_cast<std::ptrdiff_t>(output_.size());
    const Doubles y(state->end() - size, state->end());
    ReferencePush(inputs[0], state);
    return y;
  }

 private:
  int64_t steps_ = 1;
};

}  // namespace

std::unique_ptr<Element> ReadLagWindow(AttributeReader& reader) { return std::make_unique<LagWindow>(reader); }
std::unique_ptr<Element> ReadDelay(AttributeReader& reader) { return std::make_unique<Delay>(reader); }

}  // namespace rondo
