#include "model/network/arithmetic.h"

#include "absl/strings/str_cat.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

enum class Operation { kAdd, kSubtract, kMultiply, kDivide };

template <typename Number>
Number Apply(Operation operation, Number a, Number b) {
  switch (operation) {
    case Operation::kAdd:
      return a + b;
    case Operation::kSubtract:
      return a - b;
    case Operation::kMultiply:
      return a * b;
    case Operation::kDivide:
      break;
  }
  return a / b;
}

// How the second operand fits the first.
enum class Fit { kEqual, kOneNumber, kOneAChannel };

class ArithmeticElement : public Element {
 public:
  ArithmeticElement(Operation operation, AttributeReader& reader) : operation_(operation) {
    reader.TakeInputs(2);
    output_ = reader.input(0);
    const Frame& second = reader.input(1);
    if (second == output_) return;
    if (second.size() == 1) {
      fit_ = Fit::kOneNumber;
    } else if (second.size() == output_.channels) {
      fit_ = Fit::kOneAChannel;
    } else {
      reader.Refuse(absl::StrCat(reader.Where("of"), " names values of ", output_.channels, " x ", output_.length,
                                 " and ", second.channels, " x ", second.length,
                                 "; the second must be like the first, or one number, or one a channel"));
    }
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    const auto channels = static_cast<size_t>(output_.channels), length = static_cast<size_t>(output_.length);
    return MakeStateless(
        [=, fit = fit_, operation = operation_](const float* const* inputs, size_t rows, float* output, float*) {
          const float* const a = inputs[0];
          const float* const b = inputs[1];
          if (fit == Fit::kEqual) {
            for (size_t i = 0; i < rows * channels * length; ++i) output[i] = Apply(operation, a[i], b[i]);
            return;
          }
          for (size_t c = 0; c < rows * channels; ++c) {
            const float with = b[fit == Fit::kOneAChannel ? c : c / channels];
            for (size_t i = c * length; i < (c + 1) * length; ++i) output[i] = Apply(operation, a[i], with);
          }
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y = inputs[0];
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t channel = i / static_cast<size_t>(output_.length);
      y[i] = Apply(operation_, y[i], inputs[1][fit_ == Fit::kEqual ? i : fit_ == Fit::kOneNumber ? 0 : channel]);
    }
    return y;
  }

 private:
  const Operation operation_;
  Fit fit_ = Fit::kEqual;
};

class ActivationElement : public Element {
 public:
  explicit ActivationElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_ = reader.input();
    function_ = reader.OwnFunction();
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions& options) const override {
    return MakeStateless(
        [function = function_, size = static_cast<size_t>(output_.size()), set = options.instruction_set](
            const float* const* inputs, size_t rows, float* output, float*) {
          Activate(function, set, inputs[0], rows, size, output);
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y = inputs[0];
    ReferenceActivate(function_, y.data(), y.size(), y.data());
    return y;
  }

 private:
  ActivationFunction function_;
};

}  // namespace

std::unique_ptr<Element> ReadAdd(AttributeReader& reader) {
  return std::make_unique<ArithmeticElement>(Operation::kAdd, reader);
}
std::unique_ptr<Element> ReadSubtract(AttributeReader& reader) {
  return std::make_unique<ArithmeticElement>(Operation::kSubtract, reader);
}
std::unique_ptr<Element> ReadMultiply(AttributeReader& reader) {
  return std::make_unique<ArithmeticElement>(Operation::kMultiply, reader);
}
std::unique_ptr<Element> ReadDivide(AttributeReader& reader) {
  return std::make_unique<ArithmeticElement>(Operation::kDivide, reader);
}
std::unique_ptr<Element> ReadActivation(AttributeReader& reader) { return std::make_unique<ActivationElement>(reader); }

}  // namespace rondo
