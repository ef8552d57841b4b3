#include "model/network/stateless.h"

#include <utility>

#include "model/kernels/aligned_buffer.h"

namespace rondo {
namespace {

class BoundStateless : public BoundElement {
 public:
  BoundStateless(const StatelessStep& step, size_t scratch_floats, const ElementBuffers& buffers)
      : step_(step), buffers_(buffers), scratch_(scratch_floats) {}

  bool Run(absl::Span<const StepRow> rows, size_t) override {
    step_(buffers_.inputs.data(), rows.size(), buffers_.output, scratch_.get());
    return true;
  }

 private:
  const StatelessStep& step_;
  const ElementBuffers buffers_;
  const AlignedBuffer scratch_;
};

class StatelessKernel : public ElementKernel {
 public:
  StatelessKernel(StatelessStep step, size_t scratch_floats)
      : step_(std::move(step)), scratch_floats_(scratch_floats) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<BoundStateless>(step_, scratch_floats_, buffers);
  }

 private:
  const StatelessStep step_;
  const size_t scratch_floats_;
};

}  // namespace

std::unique_ptr<ElementKernel> MakeStateless(StatelessStep step, size_t scratch_floats) {
  return std::make_unique<StatelessKernel>(std::move(step), scratch_floats);
}

}  // namespace rondo
