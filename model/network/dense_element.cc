#include "model/network/dense_element.h"

#include "model/kernels/packed_product.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

class DenseElement : public Element {
 public:
  explicit DenseElement(AttributeReader& reader) : inputs_(reader.input().size()) {
    reader.TakeInputs(1);
    output_.channels = reader.Whole("units", {});
    function_ = reader.Function("activation", FunctionKind::kLinear);
    has_bias_ = reader.Flag("bias", true);
    slots_.push_back({"weight", {{output_.channels, inputs_}}});
    if (has_bias_) slots_.push_back({"bias", {{output_.channels}}});
    products_ = static_cast<double>(output_.channels) * static_cast<double>(inputs_);
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    const auto units = static_cast<size_t>(output_.channels);
    auto product = std::make_shared<const PackedProduct>(weights[0], absl::Span<const float>(),
                                                         has_bias_ ? weights[1] : absl::Span<const float>(), units,
                                                         options.instruction_set);
    const auto width = static_cast<size_t>(inputs_);
    return MakeStateless([=, function = function_](const float* const* inputs, size_t rows, float* output, float*) {
      product->Apply({inputs[0], width}, {}, rows, function, output, units);
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    const Doubles& x = inputs[0];
    Doubles y(static_cast<size_t>(output_.channels));
    for (size_t unit = 0; unit < y.size(); ++unit) {
      y[unit] = has_bias_ ? weights[1][unit] : 0;
      for (size_t k = 0; k < x.size(); ++k) y[unit] += x[k] * static_cast<double>(weights[0][unit * x.size() + k]);
    }
    ReferenceActivate(function_, y.data(), y.size(), y.data());
    return y;
  }

 private:
  const int64_t inputs_;
  ActivationFunction function_;
  bool has_bias_ = true;
};

}  // namespace

std::unique_ptr<Element> ReadDense(AttributeReader& reader) { return std::make_unique<DenseElement>(reader); }

}  // namespace rondo
