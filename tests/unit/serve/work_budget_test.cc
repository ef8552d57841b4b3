#include "server/serve/work_budget.h"

#include <deque>
#include <new>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "server/serve/forecast.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

TEST(WorkBudgetTest, WhatEndsMakesRoomForWhatWasRefused) {
  WorkBudget budget({/*max_work_steps=*/100, /*max_work_bytes=*/1000});
  EXPECT_TRUE(budget.Take({50, 400}).ok());
  EXPECT_TRUE(budget.Take({40, 400}).ok());
  const absl::Status steps = budget.Take({11, 0});
  EXPECT_EQ(RefusalOf(steps).why, Why::kWorkBudget);
  EXPECT_EQ(steps.message(), "the request takes 11 steps; of max_work_steps=100 others have 90");
  const absl::Status bytes = budget.Take({0, 201});
  EXPECT_EQ(RefusalOf(bytes).why, Why::kMemoryBudget);
  EXPECT_EQ(bytes.message(), "the request takes 201 bytes of memory; of max_work_bytes=1000 others have 800");
  EXPECT_EQ(budget.steps(), 90u);
  EXPECT_EQ(budget.bytes(), 800u);
  budget.GiveBack({50, 400});
  EXPECT_TRUE(budget.Take({11, 201}).ok());
}

TEST(WorkBudgetTest, WhatNeverFitsIsInvalidSoThatNobodyTriesAgain) {
  WorkBudget budget({100, 1000});
  const absl::Status steps = budget.Take({51, 0});
  EXPECT_EQ(steps,
            absl::InvalidArgumentError("the request takes 51 steps; one request may take 50, half of max_work_steps"));
  EXPECT_EQ(RefusalOf(steps).retry_after_ms, 0);
  EXPECT_EQ(budget.Take({0, 501}), absl::InvalidArgumentError("the request takes 501 bytes of memory; one request may "
                                                              "take 500, half of max_work_bytes"));
  EXPECT_EQ(budget.steps(), 0u);
}

TEST(WorkBudgetTest, OneClientMayHaveHalfAndLeavesTheRestToOthers) {
  WorkBudget server({100, 1000});
  WorkBudget greedy(&server), modest(&server);
  EXPECT_TRUE(greedy.Take({40, 400}).ok());
  const absl::Status steps = greedy.Take({11, 0});
  EXPECT_EQ(RefusalOf(steps).why, Why::kWorkBudget);
  EXPECT_EQ(steps.message(), "the request takes 11 steps; of max_work_steps=50 for one client others have 40");
  EXPECT_EQ(RefusalOf(greedy.Take({0, 101})).why, Why::kMemoryBudget);
  EXPECT_EQ(server.steps(), 40u);
  EXPECT_TRUE(modest.Take({50, 500}).ok());
  EXPECT_EQ(RefusalOf(modest.Take({1, 0})).why, Why::kWorkBudget);
  greedy.GiveBack({40, 400});
  EXPECT_EQ(server.steps(), 50u);
  EXPECT_EQ(server.bytes(), 500u);
}

struct AnyOwner : MessageOwner {
  void OnMessageDone() override {}
};

class BudgetedTest : public ServeFixture, public MessageOwner {
 protected:
  BudgetedTest() {
    context_.budget = &small_;
    request_.model = "gaussian";
    request_.history = three_steps_;
    request_.horizon = 7;
    request_.num_paths = 5;
  }
  void OnMessageDone() override { ++done_; }

  WorkBudget small_{{/*max_work_steps=*/100, /*max_work_bytes=*/1 << 20}};
  ForecastView request_;
  int done_ = 0;
};

TEST_F(BudgetedTest, AMessageIsChargedForItsStepsUntilItEndsAndForItsBytesUntilItsReplyIsSent) {
  TestExchange exchange, other;
  Message message(&context_, Method::kStreamPredict, &exchange), late(&context_, Method::kStreamPredict, &other);
  const std::vector<float> fifty(50, 1.0f), eleven(11, 1.0f);
  RequestView request = RequestOf("sum", 2);
  request.values = 50;
  exchange.sequences.push_back(Of("", std::nullopt, fifty));
  exchange.sequences.push_back(Of("", std::nullopt, {}));
  message.Start(request, now_, absl::InfiniteFuture());
  EXPECT_EQ(small_.steps(), 50u);
  EXPECT_GE(small_.bytes(), 100 * sizeof(float));
  std::optional<Forecast> forecast;
  forecast.emplace(&context_, this);
  request_.horizon = 8;  // 3 + 7 timesteps
  forecast->Start(request_, now_, absl::InfiniteFuture());
  EXPECT_EQ(small_.steps(), 100u);
  request = RequestOf("sum");
  request.values = 11;
  other.sequences.push_back(Of("", std::nullopt, eleven));
  late.Start(request, now_, absl::InfiniteFuture());
  ExpectRefused(other.refusal, Why::kWorkBudget, "work_budget", absl::StatusCode::kResourceExhausted, 100);
  EXPECT_EQ(other.results.size(), 0u);
  RunUntilIdle();
  EXPECT_EQ(small_.steps(), 0u);
  const size_t held = small_.bytes();
  EXPECT_GE(held, 100 * sizeof(float));
  message.LetGo();
  EXPECT_LT(small_.bytes(), held);
  forecast.reset();
  EXPECT_EQ(small_.bytes(), 0u);
  late.Start(request, now_, absl::InfiniteFuture());
  RunUntilIdle();
  EXPECT_TRUE(other.results[0]->status.ok());
}

TEST_F(BudgetedTest, AForecastThatTheBudgetHasNoRoomForAllocatesNoPath) {
  std::deque<Forecast> forecasts;
  for (int i = 0; i < 3; ++i) forecasts.emplace_back(&context_, this).Start(request_, now_, absl::InfiniteFuture());
  EXPECT_EQ(done_, 1);
  const absl::Status refused = forecasts[2].status();
  ExpectRefused(refused, Why::kWorkBudget, "work_budget", absl::StatusCode::kResourceExhausted, 100);
  EXPECT_EQ(refused.message(), "the request takes 45 steps; of max_work_steps=100 others have 90");
  RunUntilIdle();
  EXPECT_EQ(done_, 3);
  EXPECT_TRUE(forecasts[0].status().ok());
  EXPECT_EQ(small_.steps(), 0u);
  EXPECT_GT(small_.bytes(), 0u) << "their replies are there";
  forecasts.clear();
  EXPECT_EQ(small_.bytes(), 0u);
}

TEST_F(BudgetedTest, AStreamGoesOnBesideForecasts) {
  WorkBudget usual{WorkLimits()};
  context_.budget = &usual;
  request_.num_paths = 200;
  request_.horizon = 50;
  std::deque<Forecast> forecasts;
  for (int i = 0; i < 6; ++i) forecasts.emplace_back(&context_, this).Start(request_, now_, absl::InfiniteFuture());
  for (int position = 0; position < 20; ++position) {
    TestExchange exchange;
    AnyOwner stream;
    Message message(&context_, Method::kStreamPredict, &exchange);
    RequestView request = RequestOf("gaussian");
    request.owner = &stream;
    exchange.sequences.push_back(Of("live", position, one_));
    message.Start(request, now_, absl::InfiniteFuture());
    engine_.RunBatch();
    EXPECT_EQ(exchange.done, 1) << "the step was not in the next batch";
  }
  EXPECT_EQ(done_, 0);
  RunUntilIdle();
  EXPECT_EQ(done_, 6);
}

using OutOfMemoryTest = ServeFixture;

// An exchange without memory for a reply.
class PoorExchange : public TestExchange {
 public:
  float* AllocateValues(size_t i, size_t count) override {
    if (i == poor_one) throw std::bad_alloc();
    return TestExchange::AllocateValues(i, count);
  }
  void AddResults(size_t count) override {
    if (poor_throughout) throw std::bad_alloc();
    TestExchange::AddResults(count);
  }
  size_t poor_one = 0;
  bool poor_throughout = false;
};

TEST_F(OutOfMemoryTest, WithoutMemoryForItsReplyOneSequenceEndsAndItsSessionHasNotMoved) {
  Run(Of("s", 0, one_));
  PoorExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 1, two_), Of("t", 0, two_)}, &message, &exchange);
  RunUntilIdle();
  EXPECT_EQ(exchange.done, 1);
  EXPECT_TRUE(exchange.results[1]->status.ok());
  const absl::Status status = exchange.results[0]->status;
  ExpectRefused(status, Why::kOutOfMemory, "out_of_memory", absl::StatusCode::kResourceExhausted, 100);
  EXPECT_EQ(status.message(), "the server has no memory left for this request; nothing has changed");
  EXPECT_EQ(sessions_.Get("s", now_)->position, 1);
  Run(Of("s", 1, two_));
  EXPECT_THAT(last_values_, ElementsAre(3));
}

TEST_F(OutOfMemoryTest, WithoutMemoryForItsResultsAMessageIsRefused) {
  PoorExchange exchange;
  exchange.poor_throughout = true;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, two_)}, &message, &exchange);
  ExpectRefused(exchange.refusal, Why::kOutOfMemory, "out_of_memory", absl::StatusCode::kResourceExhausted, 100);
  EXPECT_EQ(in_flight(), 0);
  EXPECT_EQ(budget_.bytes(), 0u);
}

}  // namespace
}  // namespace rondo
