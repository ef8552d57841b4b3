#include "model/network/frame_conv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/kernels/aligned_buffer.h"
#include "model/network/grouped_product.h"

namespace rondo {
namespace {

struct ConvForm {
  ConvolutionShape shape;
  size_t length = 1;  // of the input
  size_t output_length = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t left = 0;  // zeros before the first number of a channel
  ActivationFunction function;
};

// The rows that are computed together: enough to fill the tiles, few enough to stay in the cache.
constexpr size_t kMaxFrameFloats = size_t{1} << 16;

size_t RowsAtOnce(const ConvForm& form, size_t max_batch_size) {
  const size_t fitting = std::max<size_t>(24, kMaxFrameFloats / form.shape.row_size());
  return std::min(fitting, max_batch_size * form.output_length);
}

class BoundConv : public BoundElement {
 public:
  BoundConv(const ConvForm& form, const GroupedProduct& product, const ElementBuffers& buffers)
      : form_(form),
        product_(product),
        buffers_(buffers),
        rows_at_once_(RowsAtOnce(form, buffers.max_batch_size)),
        rows_(rows_at_once_ * form.shape.row_size()),
        results_(rows_at_once_ * form.shape.outputs) {}

  // One row of the product is one place of one row of the batch.
  bool Run(absl::Span<const StepRow> rows, size_t) override {
    const size_t places = rows.size() * form_.output_length;
    for (size_t done = 0; done < places; done += rows_at_once_) {
      const size_t count = std::min(rows_at_once_, places - done);
      for (size_t i = 0; i < count; ++i) {
        Gather((done + i) / form_.output_length, (done + i) % form_.output_length,
               rows_.get() + i * form_.shape.row_size());
      }
      if (form_.output_length == 1) {
        product_.Apply(rows_.get(), count, form_.function, buffers_.output + done * form_.shape.outputs);
        continue;
      }
      product_.Apply(rows_.get(), count, form_.function, results_.get());
      for (size_t i = 0; i < count; ++i) Scatter(done + i, results_.get() + i * form_.shape.outputs);
    }
    return true;
  }

 private:
  // [groups][kernel][inputs / groups] of the numbers that one place depends on; zeros outside the frame.
  void Gather(size_t row, size_t place, float* to) const {
    const size_t width = form_.shape.inputs / form_.shape.groups;
    const float* from = buffers_.inputs[0] + row * form_.shape.inputs * form_.length;
    const int64_t first = static_cast<int64_t>(place) * form_.stride - form_.left;
    for (size_t group = 0; group < form_.shape.groups; ++group, from += width * form_.length) {
      for (size_t k = 0; k < form_.shape.kernel; ++k, to += width) {
        const int64_t at = first + static_cast<int64_t>(k) * form_.dilation;
        const bool inside = at >= 0 && at < static_cast<int64_t>(form_.length);
        const float* const column = from + (inside ? at : 0);
        for (size_t i = 0; i < width; ++i) to[i] = inside ? column[i * form_.length] : 0.0f;
      }
    }
  }

  void Scatter(size_t place, const float* result) const {
    const size_t length = form_.output_length;
    float* const to = buffers_.output + place / length * form_.shape.outputs * length + place % length;
    for (size_t o = 0; o < form_.shape.outputs; ++o) to[o * length] = result[o];
  }

  const ConvForm& form_;
  const GroupedProduct& product_;
  const ElementBuffers buffers_;
  const size_t rows_at_once_;
  const AlignedBuffer rows_, results_;
};

class ConvKernel : public ElementKernel {
 public:
  ConvKernel(const ConvForm& form, GroupedProduct product) : form_(form), product_(std::move(product)) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<BoundConv>(form_, product_, buffers);
  }

 private:
  const ConvForm form_;
  const GroupedProduct product_;
};

class FrameConv : public Element {
 public:
  explicit FrameConv(AttributeReader& reader) {
    reader.TakeInputs(1);
    const Frame& frame = reader.input();
    output_.channels = reader.Whole("channels", {});
    const int64_t kernel = reader.Whole("kernel", {1, 65536});
    form_.stride = reader.Whole("stride", {}, 1);
    form_.dilation = reader.Whole("dilation", {1, 65536}, 1);
    const int64_t groups = reader.Whole("groups", {}, 1);
    const auto [left, right] = reader.Padding("padding");
    form_.left = left;
    form_.function = reader.Function("activation", FunctionKind::kLinear);
    has_bias_ = reader.Flag("bias", true);
    if (!RunsOnLanes(form_.function)) {
      reader.Refuse(
          absl::StrCat(reader.Where("activation"), " is none that a convolution takes: use an element activation"));
    }
    if (frame.channels % groups != 0 || output_.channels % groups != 0) {
      reader.Refuse(absl::StrCat(reader.Where("groups"), " is ", groups, "; it must divide ", frame.channels, " and ",
                                 output_.channels, " channels"));
    }
    const int64_t extent = (kernel - 1) * form_.dilation + 1, room = left + frame.length + right - extent;
    if (room < 0) {
      reader.Refuse(absl::StrCat(reader.Where("kernel"), " reaches over ", extent, " numbers; the padded length is ",
                                 left + frame.length + right));
    }
    if (!reader.ok()) return;
    output_.length = room / form_.stride + 1;
    form_.length = static_cast<size_t>(frame.length);
    form_.output_length = static_cast<size_t>(output_.length);
    form_.shape = {static_cast<size_t>(output_.channels), static_cast<size_t>(frame.channels),
                   static_cast<size_t>(kernel), static_cast<size_t>(groups)};
    const int64_t group_channels = frame.channels / groups;
    slots_.push_back({"weight", {{output_.channels, group_channels, kernel}}});
    if (has_bias_) slots_.push_back({"bias", {{output_.channels}}});
    products_ = static_cast<double>(output_.channels) * static_cast<double>(output_.length) *
                static_cast<double>(group_channels * kernel);
  }

  std::unique_ptr<ElementKernel> MakeKernel(SlotValues weights, const KernelOptions& options) const override {
    return std::make_unique<ConvKernel>(
        form_, GroupedProduct(form_.shape, weights[0], has_bias_ ? weights[1] : absl::Span<const float>(),
                              options.instruction_set));
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues weights, Doubles*) const override {
    const size_t width = form_.shape.inputs / form_.shape.groups, outputs = form_.shape.outputs / form_.shape.groups;
    Doubles y;
    for (size_t o = 0; o < form_.shape.outputs; ++o) {
      for (size_t place = 0; place < form_.output_length; ++place) {
        double sum = has_bias_ ? static_cast<double>(weights[1][o]) : 0;
        for (size_t i = 0; i < width; ++i) {
          for (size_t k = 0; k < form_.shape.kernel; ++k) {
            const int64_t at =
                static_cast<int64_t>(place) * form_.stride - form_.left + static_cast<int64_t>(k) * form_.dilation;
            if (at < 0 || at >= static_cast<int64_t>(form_.length)) continue;
            sum += static_cast<double>(weights[0][(o * width + i) * form_.shape.kernel + k]) *
                   inputs[0][(o / outputs * width + i) * form_.length + static_cast<size_t>(at)];
          }
        }
        y.push_back(sum);
      }
    }
    ReferenceActivate(form_.function, y.data(), y.size(), y.data());
    return y;
  }

 private:
  ConvForm form_;
  bool has_bias_ = true;
};

}  // namespace

std::unique_ptr<Element> ReadConv(AttributeReader& reader) { return std::make_unique<FrameConv>(reader); }

}  // namespace rondo
