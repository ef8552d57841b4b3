// A binary of its own: it counts every allocation of the process.
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/count_allocations.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ServeAllocationTest = ServeFixture;

TEST_F(ServeAllocationTest, AMessageThatIsUsedAgainAllocatesNothing) {
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  RequestView request = RequestOf("sum", 2);
  int64_t position = 0;
  const auto run = [&] {
    exchange.sequences[0].position = position;
    message.Start(request, now_, absl::InfiniteFuture());
    RunUntilIdle();
    position += 3;
    return exchange.results[0]->status.ok() && exchange.results[1]->status.ok();
  };
  exchange.sequences = {Of("s", 0, three_steps_), Of("", std::nullopt, three_steps_)};
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(run());
  const size_t before = allocations;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(run());
  EXPECT_EQ(allocations - before, 0u);
}

}  // namespace
}  // namespace rondo
