#include "model/network/input_elements.h"

#include <algorithm>
#include <cmath>

#include "base/invalid.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

using Table = std::shared_ptr<const std::vector<float>>;

Table Shared(const std::vector<float>& values) { return std::make_shared<const std::vector<float>>(values); }

class EmbeddingElement : public Element {
 public:
  explicit EmbeddingElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    tokens_ = reader.Whole("tokens", {1, int64_t{1} << 24});
    output_.channels = reader.Whole("units", {1, 16384});
    slots_ = {{"weight", {{tokens_, output_.channels}}}};
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions&) const override {
    const auto units = static_cast<size_t>(output_.channels);
    return MakeStateless(
        [=, table = Shared(weights[0])](const float* const* inputs, size_t rows, float* output, float*) {
          for (size_t i = 0; i < rows; ++i) {
            std::copy_n(table->data() + static_cast<size_t>(inputs[0][i]) * units, units, output + i * units);
          }
        });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    const auto row = weights[0].begin() + static_cast<std::ptrdiff_t>(inputs[0][0]) * output_.channels;
    return {row, row + output_.channels};
  }
};

class StandardiseElement : public Element {
 public:
  explicit StandardiseElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_.channels = reader.input().size();
    slots_ = {{"mean", {{output_.channels}}}, {"deviation", {{output_.channels}}}};
  }

  absl::Status CheckWeights(SlotValues weights) const override {
    for (const float deviation : weights[1]) {
      if (!(deviation >= 1e-30f)) {
        return Invalid("a deviation is ", deviation, "; it must be at least 1e-30");
      }
    }
    return absl::OkStatus();
  }

  // Float64 is for large means: the difference of two large neighbours keeps its digits.
  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions&) const override {
    const auto width = static_cast<size_t>(output_.channels);
    auto inverse = std::make_shared<std::vector<double>>();
    for (const float deviation : weights[1]) inverse->push_back(1.0 / static_cast<double>(deviation));
    return MakeStateless([=, means = Shared(weights[0]), inverses = std::move(inverse)](
                             const float* const* inputs, size_t rows, float* output, float*) {
      const float* x = inputs[0];
      for (size_t row = 0; row < rows; ++row, x += width, output += width) {
        for (size_t i = 0; i < width; ++i) {
          const double centred = static_cast<double>(x[i]) - static_cast<double>((*means)[i]);
          output[i] = static_cast<float>(centred * (*inverses)[i]);
        }
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    Doubles y = inputs[0];
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = (y[i] - static_cast<double>(weights[0][i])) / static_cast<double>(weights[1][i]);
    }
    return y;
  }
};

class ScaleElement : public Element {
 public:
  explicit ScaleElement(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_ = reader.input();
    slots_ = {{"weight", {{output_.channels}}}, {"bias", {{output_.channels}}}};
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions&) const override {
    const auto channels = static_cast<size_t>(output_.channels), length = static_cast<size_t>(output_.length);
    return MakeStateless([=, weight = Shared(weights[0]), bias = Shared(weights[1])](
                             const float* const* inputs, size_t rows, float* output, float*) {
      const float* x = inputs[0];
      for (size_t row = 0; row < rows; ++row) {
        for (size_t c = 0; c < channels; ++c, x += length, output += length) {
          for (size_t i = 0; i < length; ++i) output[i] = x[i] * (*weight)[c] + (*bias)[c];
        }
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    Doubles y = inputs[0];
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t channel = i / static_cast<size_t>(output_.length);
      y[i] = y[i] * static_cast<double>(weights[0][channel]) + static_cast<double>(weights[1][channel]);
    }
    return y;
  }
};

class ConstantElement : public Element {
 public:
  explicit ConstantElement(AttributeReader& reader) {
    reader.TakeInputs(0);
    output_.channels = reader.Whole("units", {});
    slots_ = {{"value", {{output_.channels}}}};
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions&) const override {
    return MakeStateless([value = Shared(weights[0])](const float* const*, size_t rows, float* output, float*) {
      for (size_t row = 0; row < rows; ++row) output = std::copy(value->begin(), value->end(), output);
    });
  }

  Doubles Reference(absl::Span<const Doubles>, SlotValues weights, Doubles*) const override {
    return {weights[0].begin(), weights[0].end()};
  }
};

}  // namespace

std::unique_ptr<Element> ReadEmbedding(AttributeReader& reader) { return std::make_unique<EmbeddingElement>(reader); }
std::unique_ptr<Element> ReadStandardise(AttributeReader& reader) {
  return std::make_unique<StandardiseElement>(reader);
}
std::unique_ptr<Element> ReadScale(AttributeReader& reader) { return std::make_unique<ScaleElement>(reader); }
std::unique_ptr<Element> ReadConstant(AttributeReader& reader) { return std::make_unique<ConstantElement>(reader); }

}  // namespace rondo
