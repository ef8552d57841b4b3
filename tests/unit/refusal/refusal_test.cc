#include "server/refusal/refusal.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(RefusalTest, EachReasonTravelsWithItsStatusAndHasTheCodeAndTheAdviceOfItsRow) {
  for (const RefusalRow& row : kRefusalRows) {
    const absl::Status status = Refuse(row.why, "because");
    EXPECT_EQ(status.code(), row.code) << row.label;
    EXPECT_EQ(status.message(), "because");
    const Refusal refusal = RefusalOf(status);
    EXPECT_EQ(refusal.why, row.why) << row.label;
    EXPECT_EQ(LabelOf(refusal.why), row.label);
    EXPECT_EQ(refusal.retry_after_ms, row.retry_after_ms) << row.label;
    EXPECT_FALSE(refusal.next_position.has_value());
  }
}

TEST(RefusalTest, NoTwoReasonsShareALabel) {
  std::set<absl::string_view> labels;
  for (const RefusalRow& row : kRefusalRows) labels.insert(row.label);
  EXPECT_EQ(labels.size(), kNumWhys);
}

TEST(RefusalTest, OnlyWhatIsFullAndAModelThatMayComeAdviseWhenToTryAgain) {
  for (const RefusalRow& row : kRefusalRows) {
    const bool passes = row.code == absl::StatusCode::kResourceExhausted || row.why == Why::kModelAway;
    EXPECT_EQ(row.retry_after_ms > 0, passes) << row.label;
  }
}

TEST(RefusalTest, APositionOfAnySizeTravelsWithTheReason) {
  for (const int64_t position : {int64_t{0}, int64_t{7}, std::numeric_limits<int64_t>::max()}) {
    const Refusal refusal = RefusalOf(Refuse(Why::kPosition, "elsewhere", position));
    EXPECT_EQ(refusal.why, Why::kPosition);
    EXPECT_EQ(refusal.next_position, position);
  }
}

TEST(RefusalTest, AStatusKeepsItsCodeAndTextWhenItGetsAReason) {
  const absl::Status status = WithWhy(Why::kStore, absl::DataLossError("damaged"));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "damaged");
  EXPECT_EQ(RefusalOf(status).why, Why::kStore);
}

TEST(RefusalTest, ALaterReasonReplacesAnEarlierOneAndItsPosition) {
  const Refusal refusal = RefusalOf(WithWhy(Why::kStore, Refuse(Why::kNotFound, "unknown", 0)));
  EXPECT_EQ(refusal.why, Why::kStore);
  EXPECT_FALSE(refusal.next_position.has_value());
}

TEST(RefusalTest, AStatusWithoutAReasonMeansThatTheRequestIsInvalid) {
  for (const absl::StatusCode code : {absl::StatusCode::kInvalidArgument, absl::StatusCode::kNotFound,
                                      absl::StatusCode::kResourceExhausted, absl::StatusCode::kInternal}) {
    const Refusal refusal = RefusalOf(absl::Status(code, "?"));
    EXPECT_EQ(refusal.why, Why::kInvalid);
    EXPECT_EQ(refusal.retry_after_ms, 0);
  }
}

}  // namespace
}  // namespace rondo
