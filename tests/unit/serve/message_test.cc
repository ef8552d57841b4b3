#include "server/serve/message.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MessageTest : public ServeFixture {
 protected:
  TestExchange exchange_;
  Message message_{&context_, Method::kStreamPredict, &exchange_};
};

TEST_F(MessageTest, EachSequenceIsAnsweredInItsPlace) {
  Start({Of("a", 0, one_), Of("", std::nullopt, three_steps_), Of("b", 0, two_)}, &message_, &exchange_);
  EXPECT_TRUE(message_.running());
  EXPECT_EQ(exchange_.done, 0);
  RunUntilIdle();
  EXPECT_FALSE(message_.running());
  EXPECT_EQ(exchange_.done, 1);
  EXPECT_THAT(exchange_.values[0], ElementsAre(1));
  EXPECT_THAT(exchange_.values[1], ElementsAre(1, 3, 6));
  EXPECT_THAT(exchange_.values[2], ElementsAre(2));
  EXPECT_EQ(exchange_.results[0]->next_position, 1);
  EXPECT_EQ(exchange_.results[1]->next_position, 0);
  EXPECT_EQ(exchange_.results[1]->timesteps, 3u);
}

TEST_F(MessageTest, OneSequenceThatFailsLeavesTheOthersAlone) {
  Start({Of("a", 0, one_), Of("a", 7, one_), Of("b", 0, {}), Of("b", 0, two_)}, &message_, &exchange_);
  RunUntilIdle();
  EXPECT_TRUE(exchange_.results[0]->status.ok());
  EXPECT_TRUE(exchange_.results[3]->status.ok());
  EXPECT_TRUE(message_.refusal().ok());
  EXPECT_EQ(message_.first_failure(), exchange_.results[2]->status);  // the first to fail, which is not the first asked
  ExpectRefused(exchange_.results[1]->status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, 1);
  ExpectRefused(exchange_.results[2]->status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
}

TEST_F(MessageTest, TheSequencesOfOneSessionRunInTheirOrder) {
  Start({Of("a", 0, one_), Of("a", 1, two_), Of("a", std::nullopt, one_)}, &message_, &exchange_);
  RunUntilIdle();
  EXPECT_THAT(exchange_.values, ElementsAre(ElementsAre(1), ElementsAre(3), ElementsAre(4)));
  EXPECT_EQ(exchange_.results[2]->next_position, 3);
}

TEST_F(MessageTest, LastOnlyAnswersOneRow) {
  RequestView request = RequestOf("sum");
  request.last_only = true;
  const SequenceResult result = Run(Of("", std::nullopt, three_steps_), request);
  EXPECT_THAT(last_values_, ElementsAre(6));
  EXPECT_EQ(result.timesteps, 3u);
}

TEST_F(MessageTest, AUnaryCallThatComesWhileTheServerDrainsIsRefused) {
  draining_ = true;
  for (const Method method : {Method::kPredict, Method::kModelInfer}) {
    const absl::Status status = RefusalOfMessage(RequestOf("sum"), method);
    ExpectRefused(status, Why::kDraining, "draining", absl::StatusCode::kUnavailable, 0);
  }
}

TEST_F(MessageTest, AStreamThatDrainsAnswersWhatItHasRead) {
  draining_ = true;
  EXPECT_TRUE(Run(Of("", std::nullopt, one_)).status.ok());
  EXPECT_THAT(last_values_, ElementsAre(1));
}

TEST_F(MessageTest, AMessageHasOneSequenceUpToItsLimit) {
  context_.limits.max_sequences_per_message = 2;
  for (const size_t count : {size_t{0}, size_t{3}, std::numeric_limits<size_t>::max()}) {
    const absl::Status status = RefusalOfMessage(RequestOf("sum", count));
    ExpectRefused(status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
    EXPECT_THAT(std::string(status.message()), HasSubstr("sequences; wanted 1 to 2"));
  }
}

TEST_F(MessageTest, ANegativeTimeoutIsInvalid) {
  RequestView request = RequestOf("sum");
  request.timeout = absl::Milliseconds(-5);
  const absl::Status status = RefusalOfMessage(request);
  EXPECT_EQ(status.message(), "timeout_ms is -5; wanted 0 or more");
  ExpectRefused(status, Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
}

TEST_F(MessageTest, AModelOrVersionThatIsNotThereIsNotFound) {
  RequestView request = RequestOf("some");
  ExpectRefused(RefusalOfMessage(request), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  request = RequestOf("sum");
  request.version = 9;
  ExpectRefused(RefusalOfMessage(request), Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
}

TEST_F(MessageTest, TheNewestVersionRunsUnlessOneIsNamed) {
  RequestView request = RequestOf("sum");
  EXPECT_EQ(Run(Of("", std::nullopt, one_), request).version, 2);
  request.version = 1;
  EXPECT_EQ(Run(Of("", std::nullopt, one_), request).version, 1);
}

TEST_F(MessageTest, TheSoonerOfTimeoutAndDeadlineHolds) {
  RequestView request = RequestOf("sum");
  request.timeout = absl::Milliseconds(3);
  now_ = absl::Now() - absl::Seconds(1);  // when it arrived
  const SequenceResult late = Run(Of("", std::nullopt, one_), request);
  ExpectRefused(late.status, Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
  request.timeout = absl::Hours(1);
  EXPECT_TRUE(Run(Of("", std::nullopt, one_), request).status.ok());
  const SequenceResult expired = Run(Of("", std::nullopt, one_), request, now_);
  ExpectRefused(expired.status, Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0);
}

TEST_F(MessageTest, ARequestThatIsMalformedInItsProtocolEndsWithThat) {
  RequestView request = RequestOf("sum");
  request.malformed = absl::InvalidArgumentError("no version");
  message_.Start(request, now_, absl::InfiniteFuture());
  EXPECT_EQ(exchange_.done, 1);
  EXPECT_EQ(exchange_.refusal, absl::InvalidArgumentError("no version"));
  EXPECT_THAT(exchange_.results, IsEmpty());
  ExpectRefused(message_.refusal(), Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0);
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("code=\"INVALID_ARGUMENT\""));
}

TEST_F(MessageTest, AMessageIsInFlightUntilItsLastSequenceEnds) {
  Start({Of("", std::nullopt, one_), Of("", std::nullopt, three_steps_)}, &message_, &exchange_);
  EXPECT_EQ(in_flight(), 1);
  engine_.RunBatch();
  EXPECT_EQ(in_flight(), 1);
  RunUntilIdle();
  EXPECT_EQ(in_flight(), 0);
  EXPECT_FALSE(RefusalOfMessage(RequestOf("some")).ok());
  EXPECT_EQ(in_flight(), 0);
}

TEST_F(MessageTest, ACancelledMessageEndsItsSequencesAndChangesNothing) {
  ASSERT_TRUE(Run(Of("a", 0, one_)).status.ok());
  Start({Of("a", 1, three_steps_), Of("", std::nullopt, one_), Of("a", 4, one_)}, &message_, &exchange_);
  engine_.RunBatch();  // the second is done, the first half way, and the third waits for it
  message_.Cancel();
  RunUntilIdle();
  EXPECT_EQ(exchange_.done, 1);
  EXPECT_TRUE(exchange_.results[1]->status.ok());
  EXPECT_EQ(RefusalOf(exchange_.results[0]->status).why, Why::kCancelled);
  EXPECT_EQ(RefusalOf(exchange_.results[2]->status).why, Why::kCancelled);
  EXPECT_EQ(metrics_.requests()->rejected[Why::kCancelled].Value(), 2u);
  EXPECT_EQ(sessions_.Get("a", now_)->position, 1);
  message_.Cancel();  // it is over
  EXPECT_EQ(exchange_.done, 1);
}

TEST_F(MessageTest, AMessageIsUsedAgainWithMoreAndWithFewerSequences) {
  for (const size_t count : {1u, 3u, 2u}) {
    Start(std::vector<SequenceView>(count, Of("", std::nullopt, two_)), &message_, &exchange_);
    RunUntilIdle();
    ASSERT_EQ(exchange_.results.size(), count);
    for (size_t i = 0; i < count; ++i) EXPECT_THAT(exchange_.values[i], ElementsAre(2));
    if (count == 3) message_.FreeMemory();
  }
  EXPECT_EQ(exchange_.done, 3);
}

TEST_F(MessageTest, ARefusalIsForgottenByTheNextUse) {
  RequestView malformed = RequestOf("sum");
  malformed.malformed = absl::InvalidArgumentError("no");
  message_.Start(malformed, now_, absl::InfiniteFuture());
  EXPECT_FALSE(message_.refusal().ok());
  Start({Of("", std::nullopt, one_)}, &message_, &exchange_);
  RunUntilIdle();
  EXPECT_TRUE(message_.refusal().ok());
  EXPECT_TRUE(message_.first_failure().ok());
}

}  // namespace
}  // namespace rondo
