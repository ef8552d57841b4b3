#include "model/network/instance_elements.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "model/network/stateful.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

// Welford's update with a bounded count. state: count, then mean and mean square deviation of each number; y: means,
// then deviations.
template <typename Number>
void UpdateStatistics(double memory, double epsilon, size_t width, const Number* x, const Number* state, Number* y,
                      Number* next) {
  double count = static_cast<double>(state[0]) + 1;
  if (count > memory) count = memory;
  next[0] = static_cast<Number>(count);
  for (size_t i = 0; i < width; ++i) {
    const double mean = static_cast<double>(state[1 + i]), square = static_cast<double>(state[1 + width + i]);
    const double off = static_cast<double>(x[i]) - mean, weight = 1 / count;
    const double new_square = (1 - weight) * (square + weight * off * off);
    next[1 + i] = y[i] = static_cast<Number>(mean + weight * off);
    next[1 + width + i] = static_cast<Number>(new_square);
    y[width + i] = static_cast<Number>(std::sqrt(std::max(new_square, 0.0) + epsilon));
  }
}

class InstanceStatistics : public Element {
 public:
  explicit InstanceStatistics(AttributeReader& reader) {
    reader.TakeInputs(1);
    // A float counts so far.
    memory_ = static_cast<double>(reader.Whole("memory", {1, int64_t{1} << 24}, int64_t{1} << 24));
    epsilon_ = reader.Real("epsilon", 1e-5);
    if (!(epsilon_ > 0)) reader.Refuse(absl::StrCat(reader.Where("epsilon"), " is ", epsilon_, "; it must be above 0"));
    output_ = {2 * reader.input().size(), 1};
    state_size_ = 1 + output_.size();
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const size_t width = static_cast<size_t>(output_.size()) / 2;
    return MakeStateful(
        width, static_cast<size_t>(state_size_), 2 * width,
        [memory = memory_, epsilon = epsilon_, width](const float* x, const float* state, float* y, float* next) {
          UpdateStatistics(memory, epsilon, width, x, state, y, next);
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles* state) const override {
    Doubles y(2 * inputs[0].size()), next(state->size());
    UpdateStatistics(memory_, epsilon_, inputs[0].size(), inputs[0].data(), state->data(), y.data(), next.data());
    *state = next;
    return y;
  }

 private:
  double memory_ = 0;
  double epsilon_ = 0;
};

// width: numbers that the statistics are of.
template <typename Number>
void Scale(bool undo, size_t size, size_t width, const Number* x, const Number* statistics, Number* y) {
  for (size_t first = 0; first < size; first += width) {
    for (size_t i = 0; i < width; ++i) {
      const Number mean = statistics[i], deviation = statistics[width + i];
      y[first + i] = undo ? x[first + i] * deviation + mean : (x[first + i] - mean) / deviation;
    }
  }
}

class InstanceScale : public Element {
 public:
  InstanceScale(bool undo, AttributeReader& reader) : undo_(undo) {
    reader.TakeInputs(2);
    output_ = reader.input(0);
    const int64_t statistics = reader.input(1).size();
    width_ = static_cast<size_t>(std::max<int64_t>(1, statistics / 2));
    if (reader.ok() && (statistics % 2 != 0 || output_.size() % static_cast<int64_t>(width_) != 0)) {
      reader.Refuse(absl::StrCat(reader.Where("of"), " names a value of ", output_.size(), " numbers and ", statistics,
                                 " statistics; the second must be two of each number that repeats in the first"));
    }
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const auto size = static_cast<size_t>(output_.size());
    return MakeStateless(
        [undo = undo_, size, width = width_](const float* const* inputs, size_t rows, float* output, float*) {
          for (size_t row = 0; row < rows; ++row) {
            Scale(undo, size, width, inputs[0] + row * size, inputs[1] + row * 2 * width, output + row * size);
          }
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y(inputs[0].size());
    Scale(undo_, y.size(), width_, inputs[0].data(), inputs[1].data(), y.data());
    return y;
  }

 private:
  const bool undo_;
  size_t width_ = 1;
};

}  // namespace

std::unique_ptr<Element> ReadInstanceStatistics(AttributeReader& reader) {
  return std::make_unique<InstanceStatistics>(reader);
}
std::unique_ptr<Element> ReadInstanceScale(AttributeReader& reader) {
  return std::make_unique<InstanceScale>(false, reader);
}
std::unique_ptr<Element> ReadInstanceUnscale(AttributeReader& reader) {
  return std::make_unique<InstanceScale>(true, reader);
}

}  // namespace rondo
