#include "model/network/causal_conv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/network/grouped_product.h"
#include "model/network/ring.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

class CausalConv : public Element {
 public:
  explicit CausalConv(AttributeReader& reader) {
    reader.TakeInputs(1);
    const int64_t inputs = reader.input().size();
    output_.channels = reader.Whole("units", {});
    const int64_t kernel = reader.Whole("kernel", {1, 65536});
    dilation_ = static_cast<size_t>(reader.Whole("dilation", {1, 65536}, 1));
    const int64_t groups = reader.Whole("groups", {}, 1);
    function_ = reader.Function("activation", FunctionKind::kLinear);
    has_bias_ = reader.Flag("bias", true);
    const int64_t past = (kernel - 1) * static_cast<int64_t>(dilation_);
    time_order_.ahead = reader.Whole("ahead", {0, past}, 0);
    if (inputs % groups != 0 || output_.channels % groups != 0) {
      reader.Refuse(absl::StrCat(reader.Where("groups"), " is ", groups, "; it must divide ", inputs, " inputs and ",
                                 output_.channels, " units"));
    }
    if (!reader.ok()) return;
    shape_ = {static_cast<size_t>(output_.channels), static_cast<size_t>(inputs), static_cast<size_t>(kernel),
              static_cast<size_t>(groups)};
    const int64_t group_inputs = inputs / groups;
    slots_.push_back({"weight", {{output_.channels, group_inputs, kernel}}});
    if (has_bias_) slots_.push_back({"bias", {{output_.channels}}});
    products_ = static_cast<double>(output_.channels) * static_cast<double>(group_inputs * kernel);
    if (past > 0) state_size_ = 1 + past * inputs;
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    auto product = std::make_shared<const GroupedProduct>(
        shape_, weights[0], has_bias_ ? weights[1] : absl::Span<const float>(), options.instruction_set);
    if (state_size_ == 0) {
      return MakeStateless(
          [product, function = function_](const float* const* inputs, size_t rows, float* output, float*) {
            product->Apply(inputs[0], rows, function, output);
          });
    }
    const Ring ring((shape_.kernel - 1) * dilation_, shape_.inputs);
    return MakeRingKernel(
        ring, shape_.outputs,
        [ring, product, shape = shape_, dilation = dilation_, function = function_](
            const float* input, absl::Span<const StepRow> rows, size_t offset, float* output, float* scratch) {
          float* to = scratch;
          const size_t width = shape.inputs / shape.groups;
          for (size_t i = 0; i < rows.size(); ++i) {
            if (dilation == 1 && shape.groups == 1) {
              to = ring.CopyNewest(rows[i].state_in + offset, ring.slots(), to);
              to = std::copy_n(input + i * shape.inputs, shape.inputs, to);
              continue;
            }
            for (size_t first = 0; first < shape.inputs; first += width) {
              for (size_t age = ring.slots(); age > 0; age -= dilation) {
                to = std::copy_n(ring.Column(rows[i].state_in + offset, age) + first, width, to);
              }
              to = std::copy_n(input + i * shape.inputs + first, width, to);
            }
          }
          product->Apply(scratch, rows.size(), function, output);
        },
        shape_.row_size());
  }

  // The state's columns stand newest first.
  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles* state) const override {
    Doubles past = inputs[0];
    if (state_size_ > 0) past.insert(past.end(), state->begin() + 1, state->end());
    const size_t width = shape_.inputs / shape_.groups, outputs = shape_.outputs / shape_.groups;
    Doubles y(shape_.outputs);
    for (size_t o = 0; o < y.size(); ++o) {
      y[o] = has_bias_ ? static_cast<double>(weights[1][o]) : 0;
      for (size_t i = 0; i < width; ++i) {
        for (size_t k = 0; k < shape_.kernel; ++k) {
          const size_t age = (shape_.kernel - 1 - k) * dilation_;
          y[o] += static_cast<double>(weights[0][(o * width + i) * shape_.kernel + k]) *
                  past[age * shape_.inputs + o / outputs * width + i];
        }
      }
    }
    ReferenceActivate(function_, y.data(), y.size(), y.data());
    if (state_size_ > 0) std::copy_n(past.begin(), state->size() - 1, state->begin() + 1);
    return y;
  }

 private:
  ConvolutionShape shape_;
  size_t dilation_ = 1;
  ActivationFunction function_;
  bool has_bias_ = true;
};

}  // namespace

std::unique_ptr<Element> ReadCausalConv(AttributeReader& reader) { return std::make_unique<CausalConv>(reader); }

}  // namespace rondo
