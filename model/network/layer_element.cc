#include "model/network/layer_element.h"

#include <cstring>
#include <utility>

#include "model/network/cell_states.h"

namespace rondo {
namespace {

class BoundLayerElement : public BoundCellStates {
 public:
  BoundLayerElement(const CellKernel& kernel, size_t hidden_size, bool has_c, const ElementBuffers& buffers)
      : BoundCellStates(hidden_size, has_c, buffers),
        h_in_(buffers.max_batch_size * hidden_size),
        c_in_(has_c ? buffers.max_batch_size * hidden_size : 0),
        scratchpad_(kernel.scratchpad_size()) {
    layer_ = kernel.Bind({buffers.inputs[0], h_in_.get(), has_c ? c_in_.get() : nullptr, h_out_,
                          has_c ? c_out_.get() : nullptr, scratchpad_.get()});
  }

  bool bound() const { return layer_ != nullptr; }

  bool Run(absl::Span<const StepRow> rows, size_t batch_size) override {
    GatherStates(rows, 0, batch_size, h_in_.get());
    if (has_c_) GatherStates(rows, hidden_, batch_size, c_in_.get());
    return layer_->Run(batch_size);
  }

 private:
  // Copies what stands at `offset` in each row's state. Rows past the real ones are zeroed: they carry nobody's state.
  void GatherStates(absl::Span<const StepRow> rows, size_t offset, size_t batch_size, float* to) const {
    for (const StepRow& row : rows) {
      std::memcpy(to, StateOf(row) + offset, hidden_ * sizeof(float));
      to += hidden_;
    }
    std::memset(to, 0, (batch_size - rows.size()) * hidden_ * sizeof(float));
  }

  const AlignedBuffer h_in_, c_in_, scratchpad_;
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
