#ifndef RONDO_MODEL_KERNELS_ALIGNED_BUFFER_H_
#define RONDO_MODEL_KERNELS_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace rondo {

// A fixed number of zeroed floats, placed as kernels like them: on a cache line boundary, and large ones on huge pages
// where the system has any to give. Throws std::bad_alloc. Movable.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size);

  float* get() const { return floats_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* floats) const { std::free(floats); }
  };

  std::unique_ptr<float, Free> floats_;
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ALIGNED_BUFFER_H_
