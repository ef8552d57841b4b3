#include "model/kernels/row_places.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "model/kernels/reference_kernel.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

constexpr size_t kHiddenSize = 3;

// Copies h, and c if there is one, and adds `extra` to the last number of the row at `place`.
class UnevenKernel : public CellKernel {
 public:
  UnevenKernel(size_t place, float extra) : place_(place), extra_(extra) {}

  std::unique_ptr<BoundLayer> Bind(const LayerBuffers& buffers) const override {
    return std::make_unique<Bound>(*this, buffers);
  }
  size_t scratchpad_size() const override { return 0; }
  std::string name() const override { return "uneven"; }

 private:
  class Bound : public BoundLayer {
   public:
    Bound(const UnevenKernel& kernel, const LayerBuffers& buffers) : kernel_(kernel), buffers_(buffers) {}
    bool Run(size_t batch_size) override {
      std::copy_n(buffers_.h_in, batch_size * kHiddenSize, buffers_.h_out);
      if (buffers_.c_in != nullptr) std::copy_n(buffers_.c_in, batch_size * kHiddenSize, buffers_.c_out);
      float* const last = buffers_.c_in != nullptr ? buffers_.c_out : buffers_.h_out;
      if (kernel_.place_ < batch_size) last[(kernel_.place_ + 1) * kHiddenSize - 1] += kernel_.extra_;
      return true;
    }

   private:
    const UnevenKernel& kernel_;
    const LayerBuffers buffers_;
  };

  const size_t place_;
  const float extra_;
};

TEST(RowPlacesTest, OnePlaceThatIsOffByABitIsFound) {
  for (const bool has_c : {false, true}) {
    const KernelSizes sizes{2, kHiddenSize, has_c};
    for (const size_t place : {1, 3, 7}) {
      const UnevenKernel uneven(place, 1e-7f);
      EXPECT_FALSE(PlacesAreEqual(uneven, sizes, 8)) << place;
      EXPECT_TRUE(PlacesAreEqual(uneven, sizes, place)) << place;
    }
    EXPECT_TRUE(PlacesAreEqual(UnevenKernel(0, 0.0f), sizes, 8));
  }
}

TEST(RowPlacesTest, TheReferenceKernelsPlacesAreEqual) {
  for (const CellCase& cell : AllCells()) {
    const ModelSpec spec = MakeSpec(cell, 2, kHiddenSize, 1, 1);
    const LayerShape shape{cell.cell, cell.reset, cell.update, cell.activation, 2, kHiddenSize};
    const auto kernel = MakeReferenceKernel(shape, RandomWeights(spec, 1).layers[0]);
    EXPECT_TRUE(PlacesAreEqual(*kernel, {2, kHiddenSize, cell.cell == Cell::kLstm}, 5)) << cell;
  }
}

}  // namespace
}  // namespace rondo
