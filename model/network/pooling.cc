#include "model/network/pooling.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/network/stateless.h"

namespace rondo {
namespace {

enum class Pool { kMax, kAverage, kSum };

// One window of a pool: numbers begin..end-1 of a channel, and what their sum is divided by.
struct Window {
  size_t begin, end;
  float divisor;
};

template <typename Number>
Number PoolOf(Pool pool, const Window& window, const Number* x) {
  Number result = x[window.begin];
  for (size_t i = window.begin + 1; i < window.end; ++i) {
    result = pool == Pool::kMax ? (x[i] > result ? x[i] : result) : result + x[i];
  }
  return pool == Pool::kMax ? result : result / static_cast<Number>(window.divisor);
}

class PoolElement : public Element {
 public:
  std::unique_ptr<ElementKernel> MakeKernel(SlotValues, const KernelOptions&) const override {
    return MakeStateless([pool = pool_, windows = windows_, channels = static_cast<size_t>(output_.channels),
                          length = length_](const float* const* inputs, size_t rows, float* output, float*) {
      const float* x = inputs[0];
      for (size_t c = 0; c < rows * channels; ++c, x += length) {
        for (const Window& window : windows) *output++ = PoolOf(pool, window, x);
      }
    });
  }

  Doubles Reference(absl::Span<const Doubles> inputs, SlotValues, Doubles*) const override {
    Doubles y;
    for (size_t c = 0; c < static_cast<size_t>(output_.channels); ++c) {
      for (const Window& window : windows_) y.push_back(PoolOf(pool_, window, &inputs[0][c * length_]));
    }
    return y;
  }

 protected:
  explicit PoolElement(Pool pool) : pool_(pool) {}

  const Pool pool_;
  size_t length_ = 1;
  std::vector<Window> windows_;
};

// max_pool, average_pool.
class WindowPool : public PoolElement {
 public:
  WindowPool(Pool pool, AttributeReader& reader) : PoolElement(pool) {
    reader.TakeInputs(1);
    const Frame& frame = reader.input();
    const int64_t kernel = reader.Whole("kernel", {});
    const int64_t stride = reader.Whole("stride", {}, kernel);
    const auto [left, right] = reader.Padding("padding");
    const bool count_padding = pool == Pool::kAverage && reader.Flag("count_padding", false);
    length_ = static_cast<size_t>(frame.length);
    if (reader.ok() && (kernel > left + frame.length + right || left >= kernel || right >= kernel)) {
      reader.Refuse(absl::StrCat(reader.Where("kernel"), " is ", kernel, " with padding ", left, " and ", right,
                                 "; it must be above each padding and within the length, ", frame.length));
    }
    if (!reader.ok()) return;
    for (int64_t at = -left; at + kernel <= frame.length + right; at += stride) {
      const int64_t begin = std::max<int64_t>(at, 0), end = std::min(at + kernel, frame.length);
      if (begin >= end) {
        reader.Refuse(absl::StrCat(reader.Where("padding"), " has a window without a number"));
        return;
      }
      windows_.push_back({static_cast<size_t>(begin), static_cast<size_t>(end),
                          static_cast<float>(count_padding ? kernel : end - begin)});
    }
    output_ = {frame.channels, static_cast<int64_t>(windows_.size())};
  }
};

// mean, max, sum.
class WholePool : public PoolElement {
 public:
  WholePool(Pool pool, AttributeReader& reader) : PoolElement(pool == Pool::kSum ? Pool::kAverage : pool) {
    reader.TakeInputs(1);
    output_ = {reader.input().channels, 1};
    length_ = static_cast<size_t>(reader.input().length);
    windows_.push_back({0, length_, pool == Pool::kSum ? 1.0f : static_cast<float>(length_)});
  }
};

}  // namespace

std::unique_ptr<Element> ReadMaxPool(AttributeReader& reader) {
  return std::make_unique<WindowPool>(Pool::kMax, reader);
}
std::unique_ptr<Element> ReadAveragePool(AttributeReader& reader) {
  return std::make_unique<WindowPool>(Pool::kAverage, reader);
}
std::unique_ptr<Element> ReadMean(AttributeReader& reader) {
  return std::make_unique<WholePool>(Pool::kAverage, reader);
}
std::unique_ptr<Element> ReadMax(AttributeReader& reader) { return std::make_unique<WholePool>(Pool::kMax, reader); }
std::unique_ptr<Element> ReadSum(AttributeReader& reader) { return std::make_unique<WholePool>(Pool::kSum, reader); }

}  // namespace rondo
