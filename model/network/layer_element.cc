#include "model/network/layer_element.h"

#include <cstring>
#include <utility>

#include "base/finite.h"
#include "model/kernels/aligned_buffer.h"

namespace rondo {
namespace {

class BoundLayerElement : public BoundElement {
 public:
  BoundLayerElement(const CellKernel& kernel, size_t hidden_size, bool has_c, const ElementBuffers& buffers)
      : hidden_size_(hidden_size),
        has_c_(has_c),
        state_offset_(buffers.state_offset),
        h_out_(buffers.output),
        h_in_(buffers.max_batch_size * hidden_size),
        c_in_(has_c ? buffers.max_batch_size * hidden_size : 0),
        c_out_(has_c ? buffers.max_batch_size * hidden_size : 0),
        scratchpad_(kernel.scratchpad_size()) {
    layer_ = kernel.Bind({buffers.inputs[0], h_in_.get(), has_c ? c_in_.get() : nullptr, h_out_,
                          has_c ? c_out_.get() : nullptr, scratchpad_.get()});
  }

  bool bound() const { return layer_ != nullptr; }

  // Rows past the real ones are zeroed: they carry nobody's state.
  bool Run(absl::Span<const StepRow> rows, size_t batch_size) override {
    const size_t row_bytes = hidden_size_ * sizeof(float), padding = (batch_size - rows.size()) * row_bytes;
    float* h = h_in_.get();
    for (const StepRow& row : rows) {
      std::memcpy(h, row.state_in + state_offset_, row_bytes);
      h += hidden_size_;
    }
    std::memset(h, 0, padding);
    if (has_c_) {
      float* c = c_in_.get();
      for (const StepRow& row : rows) {
        std::memcpy(c, row.state_in + state_offset_ + hidden_size_, row_bytes);
        c += hidden_size_;
      }
      std::memset(c, 0, padding);
    }
    return layer_->Run(batch_size);
  }

  void CheckStates(absl::Span<StepRow> rows) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].finite = rows[i].finite && AllFinite({h_out_ + i * hidden_size_, hidden_size_}) &&
                       (!has_c_ || AllFinite({c_out_.get() + i * hidden_size_, hidden_size_}));
    }
  }

  void Commit(absl::Span<const StepRow> rows) const override {
    const size_t row_bytes = hidden_size_ * sizeof(float);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!rows[i].finite) continue;
      float* const to = rows[i].state_out + state_offset_;
      std::memcpy(to, h_out_ + i * hidden_size_, row_bytes);
      if (has_c_) std::memcpy(to + hidden_size_, c_out_.get() + i * hidden_size_, row_bytes);
    }
  }

 private:
  const size_t hidden_size_;
  const bool has_c_;
  const size_t state_offset_;
  float* const h_out_;
  const AlignedBuffer h_in_, c_in_, c_out_, scratchpad_;
  std::unique_ptr<BoundLayer> layer_;
};

class LayerElement : public ElementKernel {
 public:
  LayerElement(std::unique_ptr<CellKernel> kernel, const LayerShape& shape)
      : kernel_(std::move(kernel)),
        hidden_size_(static_cast<size_t>(shape.hidden_size)),
        has_c_(shape.cell == Cell::kLstm) {}

  const CellKernel* layer() const override { return kernel_.get(); }
  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    auto bound = std::make_unique<BoundLayerElement>(*kernel_, hidden_size_, has_c_, buffers);
    return bound->bound() ? std::move(bound) : nullptr;
  }

 private:
  const std::unique_ptr<const CellKernel> kernel_;
  const size_t hidden_size_;
  const bool has_c_;
};

}  // namespace

std::unique_ptr<ElementKernel> MakeLayerElement(std::unique_ptr<CellKernel> kernel, const LayerShape& shape) {
  return std::make_unique<LayerElement>(std::move(kernel), shape);
}

}  // namespace rondo
