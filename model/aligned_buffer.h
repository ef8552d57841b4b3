#ifndef RONDO_MODEL_ALIGNED_BUFFER_H_
#define RONDO_MODEL_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace rondo {

// A fixed number of zeroed floats on a cache line boundary, as vector instructions like them. Not copyable.
class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 64;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size)
      : floats_(static_cast<float*>(::operator new(size * sizeof(float), std::align_val_t(kAlignment)))), size_(size) {
    std::memset(floats_.get(), 0, size * sizeof(float));
  }

  float* get() const { return floats_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* floats) const { ::operator delete(floats, std::align_val_t(kAlignment)); }
  };

  std::unique_ptr<float, Free> floats_;
  size_t size_ = 0;
};

}  // namespace rondo

#endif  // RONDO_MODEL_ALIGNED_BUFFER_H_
