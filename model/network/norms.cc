#include "model/network/norms.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/network/stateless.h"

namespace rondo {
namespace {

// Sums run in float64, one number after the other.
template <typename Number>
std::pair<double, double> MeanAndInverseDeviation(const Number* x, size_t size, double epsilon) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < size; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(size);
  for (size_t i = 0; i < size; ++i) {
    const double centred = static_cast<double>(x[i]) - mean;
    squares += centred * centred;
  }
  return {mean, 1 / std::sqrt(squares / static_cast<double>(size) + epsilon)};
}

template <typename Number>
double InverseLength(const Number* x, size_t size, double epsilon) {
  double squares = 0;
  for (size_t i = 0; i < size; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return 1 / std::max(std::sqrt(squares), epsilon);
}

class LayerNorm : public Element {
 public:
  explicit LayerNorm(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_ = reader.input();
    epsilon_ = reader.Real("epsilon", 1e-5);
    slots_ = {{"weight", {{output_.size()}}}, {"bias", {{output_.size()}}}};
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions&) const override {
    return MakeStateless([weight = weights[0], bias = weights[1], epsilon = epsilon_](
                             const float* const* inputs, size_t rows, float* output, float*) {
      const float* x = inputs[0];
      for (size_t row = 0; row < rows; ++row, x += weight.size(), output += weight.size()) {
        const auto [mean, inverse] = MeanAndInverseDeviation(x, weight.size(), epsilon);
        for (size_t i = 0; i < weight.size(); ++i) {
          const double normal = (static_cast<double>(x[i]) - mean) * inverse;
          output[i] = static_cast<float>(normal * static_cast<double>(weight[i]) + static_cast<double>(bias[i]));
        }
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    Doubles y = inputs[0];
    const auto [mean, inverse] = MeanAndInverseDeviation(y.data(), y.size(), epsilon_);
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = (y[i] - mean) * inverse * static_cast<double>(weights[0][i]) + static_cast<double>(weights[1][i]);
    }
    return y;
  }

 private:
  double epsilon_ = 0;
};

class L2Norm : public Element {
 public:
  explicit L2Norm(AttributeReader& reader) {
    reader.TakeInputs(1);
    output_ = reader.input();
    epsilon_ = reader.Real("epsilon", 0);
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    return MakeStateless([size = static_cast<size_t>(output_.size()), epsilon = epsilon_](
                             const float* const* inputs, size_t rows, float* output, float*) {
      const float* x = inputs[0];
      for (size_t row = 0; row < rows; ++row, x += size, output += size) {
        const double inverse = InverseLength(x, size, epsilon);
        for (size_t i = 0; i < size; ++i) output[i] = static_cast<float>(static_cast<double>(x[i]) * inverse);
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y = inputs[0];
    const double inverse = InverseLength(y.data(), y.size(), epsilon_);
    for (double& value : y) value *= inverse;
    return y;
  }

 private:
  double epsilon_ = 0;
};

}  // namespace

std::unique_ptr<Element> ReadLayerNorm(AttributeReader& reader) { return std::make_unique<LayerNorm>(reader); }
std::unique_ptr<Element> ReadL2Norm(AttributeReader& reader) { return std::make_unique<L2Norm>(reader); }

}  // namespace rondo
