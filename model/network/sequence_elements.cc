#include "model/network/sequence_elements.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "model/network/stateful.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

enum class Summary { kMean, kMax };

// The summary of the timesteps so far. state: their count, then a sum or largest of each number.
template <typename Number>
void Summarise(Summary summary, size_t width, const Number* x, const Number* state, Number* y, Number* next) {
  next[0] = state[0] + 1;
  for (size_t i = 0; i < width; ++i) {
    if (summary == Summary::kMean) {
      next[1 + i] = state[1 + i] + x[i];
      y[i] = next[1 + i] / next[0];
    } else {
      next[1 + i] = y[i] = state[0] > 0 && state[1 + i] > x[i] ? state[1 + i] : x[i];
    }
  }
}

class SummaryElement : public Element {
 public:
  SummaryElement(Summary summary, AttributeReader& reader) : summary_(summary) {
    reader.TakeInputs(1);
    output_ = reader.input();
    state_size_ = 1 + output_.size();
    time_order_.for_all = true;
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const auto width = static_cast<size_t>(output_.size());
    return MakeStateful(width, width + 1, width,
                        [summary = summary_, width](const float* x, const float* state, float* y, float* next) {
                          Summarise(summary, width, x, state, y, next);
                        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles* state) const override {
    Doubles y(inputs[0].size()), next(state->size());
    Summarise(summary_, y.size(), inputs[0].data(), state->data(), y.data(), next.data());
    *state = next;
    return y;
  }

 private:
  const Summary summary_;
};

// Each window is a short sequence whose summary is its answer.
class SequencePool : public SummaryElement {
 public:
  SequencePool(Summary summary, AttributeReader& reader) : SummaryElement(summary, reader) {
    time_order_.for_all = false;
    TimeWindows& windows = time_order_.windows;
    windows.kernel = reader.Whole("kernel", {1, 65536});
    windows.stride = reader.Whole("stride", {1, 65536}, windows.kernel);
    std::tie(windows.left, windows.right) = reader.Padding("padding");
    windows.partial = reader.Flag("partial", false);
    if (reader.ok() && windows.left + windows.right >= windows.kernel) {
      reader.Refuse(absl::StrCat(reader.Where("padding"), " is ", windows.left, " and ", windows.right,
                                 "; together it must be below the kernel, ", windows.kernel));
    }
  }
};

// The answer of one timestep for all: the runner repeats what comes last in its order.
class PickElement : public Element {
 public:
  PickElement(bool first, AttributeReader& reader) {
    reader.TakeInputs(1);
    output_ = reader.input();
    time_order_.for_all = true;
    time_order_.reverse = first;
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const auto width = static_cast<size_t>(output_.size());
    return MakeStateless([width](const float* const* inputs, size_t rows, float* output, float*) {
      std::copy_n(inputs[0], rows * width, output);
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override { return inputs[0]; }
};

}  // namespace

std::unique_ptr<Element> ReadSequenceMean(AttributeReader& reader) {
  return std::make_unique<SummaryElement>(Summary::kMean, reader);
}
std::unique_ptr<Element> ReadSequenceMax(AttributeReader& reader) {
  return std::make_unique<SummaryElement>(Summary::kMax, reader);
}
std::unique_ptr<Element> ReadSequenceMaxPool(AttributeReader& reader) {
  return std::make_unique<SequencePool>(Summary::kMax, reader);
}
std::unique_ptr<Element> ReadSequenceAveragePool(AttributeReader& reader) {
  return std::make_unique<SequencePool>(Summary::kMean, reader);
}
std::unique_ptr<Element> ReadSequenceLast(AttributeReader& reader) {
  return std::make_unique<PickElement>(false, reader);
}
std::unique_ptr<Element> ReadSequenceFirst(AttributeReader& reader) {
  return std::make_unique<PickElement>(true, reader);
}

}  // namespace rondo
