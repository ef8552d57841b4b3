// Network::Step and the heap. A binary of its own, since counting replaces malloc.
#include <cstdio>
#include <cstdlib>

#include "tests/unit/model/allocation_count.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

class NetworkAllocationsTest : public testing::TestWithParam<CellCase> {
 protected:
  static constexpr int64_t kLayers = 2;
  static constexpr int kSteps = 100;

  // Allocations of kSteps steps after one to warm up.
  static AllocationCount CountSteps(const Network::Options& options) {
    ModelSpec spec = MakeSpec(GetParam(), 3, 20, kLayers, 2);
    spec.calendar = {Calendar::kHour, Calendar::kDayOfYear};
    const auto network = MakeNetwork(spec, RandomWeights(spec, 1), options);
    Series series(spec, 64);
    const std::vector<float> inputs = RandomInputs(64 * 3, 1);
    std::vector<StepRow> rows;
    for (size_t i = 0; i < 64; ++i) rows.push_back(series.Row(i, &inputs[i * 3]));
    network->Step(absl::MakeSpan(rows));
    StartCountingAllocations();
    for (int step = 0; step < kSteps; ++step) network->Step(absl::MakeSpan(rows).first(step * 7 % 64 + 1));
    return StopCountingAllocations();
  }
};

TEST_P(NetworkAllocationsTest, AStepAllocatesNothingAfterWarmUp) {
  Network::Options reference;
  reference.kernel = KernelKind::kReference;
  EXPECT_EQ(CountSteps(reference).others, 0);
  EXPECT_EQ(CountSteps({}).others, 0);
  Network::Options onednn;
  onednn.kernel = KernelKind::kOneDnn;
  const AllocationCount count = CountSteps(onednn);
  EXPECT_EQ(count.others, 0);
  std::printf("oneDNN's own allocations a layer and step: %.1f\n", count.onednn / double{kSteps} / kLayers);
}

INSTANTIATE_TEST_SUITE_P(Cells, NetworkAllocationsTest, testing::ValuesIn(AllCells()),
                         [](const auto& test) { return test.param.name; });

TEST(AllocationCountTest, SeesAllocations) {
  StartCountingAllocations();
  void* volatile counted = std::malloc(10);  // volatile: or the compiler drops the pair
  std::free(counted);
  EXPECT_EQ(StopCountingAllocations().others, 1);
}

}  // namespace
}  // namespace rondo
