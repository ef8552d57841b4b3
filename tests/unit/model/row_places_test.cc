#include "model/row_places.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "model/reference_kernel.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

constexpr size_t kHiddenSize = 3;

// Copies h, and adds `extra` to one number of the row at `place`.
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
      if (kernel_.place_ < batch_size) buffers_.h_out[kernel_.place_ * kHiddenSize] += kernel_.extra_;
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
  const KernelSizes sizes{2, kHiddenSize, false};
  for (const size_t place : {1, 3, 7}) {
    const UnevenKernel uneven(place, 1e-7f);
    EXPECT_FALSE(PlacesAreEqual(uneven, sizes, 8)) << place;
    EXPECT_TRUE(PlacesAreEqual(uneven, sizes, place)) << place;
  }
  EXPECT_TRUE(PlacesAreEqual(UnevenKernel(0, 0.0f), sizes, 8));
}

TEST(RowPlacesTest, TheReferenceKernelsPlacesAreEqual) {
  for (const CellCase& cell : AllCells()) {
    const ModelSpec spec = MakeSpec(cell, 2, kHiddenSize, 1, 1);
    const auto kernel = MakeReferenceKernel(spec, 2, RandomWeights(spec, 1).layers[0]);
    EXPECT_TRUE(PlacesAreEqual(*kernel, {2, kHiddenSize, cell.cell == Cell::kLstm}, 5)) << cell;
  }
}

}  // namespace
}  // namespace rondo
