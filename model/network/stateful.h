#ifndef RONDO_MODEL_NETWORK_STATEFUL_H_
#define RONDO_MODEL_NETWORK_STATEFUL_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/finite.h"
#include "model/kernels/aligned_buffer.h"
#include "model/network/element.h"

namespace rondo {

// The kernel of an element of one input whose state is small and changes as a whole. `Step` computes one row:
// step(const float* input, const float* state, float* output, float* next), where state and next are [state_size] and
// apart from each other.
template <typename Step>
class StatefulKernel : public ElementKernel {
 public:
  struct Sizes {
    size_t input, state, output;
  };

  StatefulKernel(const Sizes& sizes, Step step) : sizes_(sizes), step_(std::move(step)) {}

  std::unique_ptr<BoundElement> Bind(const ElementBuffers& buffers) const override {
    return std::make_unique<Bound>(*this, buffers);
  }

 private:
  class Bound : public BoundElement {
   public:
    Bound(const StatefulKernel& kernel, const ElementBuffers& buffers)
        : kernel_(kernel), buffers_(buffers), next_(buffers.max_batch_size * kernel.sizes_.state) {}

    bool Run(absl::Span<const StepRow> rows, size_t) override {
      const Sizes& sizes = kernel_.sizes_;
      for (size_t i = 0; i < rows.size(); ++i) {
        kernel_.step_(buffers_.inputs[0] + i * sizes.input, rows[i].state_in + buffers_.state_offset,
                      buffers_.output + i * sizes.output, next_.get() + i * sizes.state);
      }
      return true;
    }

    void CheckStates(absl::Span<StepRow> rows) const override {
      const size_t state = kernel_.sizes_.state;
      for (size_t i = 0; i < rows.size(); ++i) {
        rows[i].finite = rows[i].finite && AllFinite({next_.get() + i * state, state});
      }
    }

    void Commit(absl::Span<const StepRow> rows) const override {
      const size_t state = kernel_.sizes_.state;
      for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].finite) std::copy_n(next_.get() + i * state, state, rows[i].state_out + buffers_.state_offset);
      }
    }

   private:
    const StatefulKernel& kernel_;
    const ElementBuffers buffers_;
    const AlignedBuffer next_;
  };

  const Sizes sizes_;
  const Step step_;
};

template <typename Step>
std::unique_ptr<ElementKernel> MakeStateful(size_t input_size, size_t state_size, size_t output_size, Step step) {
  using Kernel = StatefulKernel<Step>;
  return std::make_unique<Kernel>(typename Kernel::Sizes{input_size, state_size, output_size}, std::move(step));
}

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_STATEFUL_H_
