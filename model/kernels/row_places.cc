#include "model/kernels/row_places.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "model/kernels/aligned_buffer.h"

namespace rondo {
namespace {

// Numbers compared: so many that another order of summing shows, also where a row has a few.
constexpr size_t kMinCompared = 4096;

// A batch whose rows can be turned: each moves on by some places, the last ones to the front.
class TurnedBatch {
 public:
  TurnedBatch(const CellKernel& kernel, const KernelSizes& sizes, size_t batch_size)
      : sizes_(sizes),
        batch_size_(batch_size),
        input_(batch_size * sizes.input_size),
        h_in_(batch_size * sizes.hidden_size),
        c_in_(batch_size * sizes.hidden_size),
        h_out_(batch_size * sizes.hidden_size),
        c_out_(batch_size * sizes.hidden_size),
        scratchpad_(kernel.scratchpad_size()) {
    LayerBuffers buffers;
    buffers.input = input_.get();
    buffers.h_in = h_in_.get();
    buffers.h_out = h_out_.get();
    if (sizes.has_c) buffers.c_in = c_in_.get(), buffers.c_out = c_out_.get();
    buffers.scratchpad = scratchpad_.get();
    layer_ = kernel.Bind(buffers);
  }

  void Fill(std::mt19937* random) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (AlignedBuffer* buffer : {&input_, &h_in_, &c_in_}) {
      std::generate_n(buffer->get(), buffer->size(), [&] { return uniform(*random); });
    }
  }

  void Turn() {
    std::rotate(input_.get(), input_.get() + input_.size() - sizes_.input_size, input_.get() + input_.size());
    for (AlignedBuffer* buffer : {&h_in_, &c_in_}) {
      std::rotate(buffer->get(), buffer->get() + buffer->size() - sizes_.hidden_size, buffer->get() + buffer->size());
    }
  }

  // The results, in the order of the rows before they were turned `turns` times. Empty: the kernel failed.
  std::vector<float> Run(size_t turns) {
    if (layer_ == nullptr || !layer_->Run(batch_size_)) return {};
    std::vector<float> results;
    for (const AlignedBuffer* buffer : {&h_out_, &c_out_}) {
      const auto first = results.insert(results.end(), buffer->get(), buffer->get() + buffer->size());
      std::rotate(first, first + static_cast<std::ptrdiff_t>(turns * sizes_.hidden_size), results.end());
    }
    return results;
  }

 private:
  const KernelSizes sizes_;
  const size_t batch_size_;
  AlignedBuffer input_, h_in_, c_in_, h_out_, c_out_, scratchpad_;
  std::unique_ptr<BoundLayer> layer_;
};

}  // namespace

bool PlacesAreEqual(const CellKernel& kernel, const KernelSizes& sizes, size_t batch_size) {
  TurnedBatch batch(kernel, sizes, batch_size);
  std::mt19937 random(1);
  for (size_t compared = 0; compared < kMinCompared; compared += batch_size * sizes.hidden_size) {
    batch.Fill(&random);
    const std::vector<float> expected = batch.Run(0);
    if (expected.empty()) return false;
    for (size_t turns = 1; turns < batch_size; ++turns) {
      batch.Turn();
      const std::vector<float> turned = batch.Run(turns);
      if (turned.empty() || std::memcmp(turned.data(), expected.data(), expected.size() * sizeof(float)) != 0) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace rondo
