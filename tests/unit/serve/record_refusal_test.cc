#include "server/serve/record_refusal.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct TestCaller : Caller {
  std::string peer() const override { return "ipv4:10.0.0.1:5000"; }
  std::string request_id() const override { return "call-7"; }
};

TEST(RecordRefusalTest, EveryReasonIsCountedAndLoggedUnderItsLabelWithMethodModelPeerAndRequestId) {
  const TestCaller caller;
  RequestsProbe probe;
  for (const RefusalRow& row : kRefusalRows) {
    testing::internal::CaptureStderr();
    RecordRefusal(Refuse(row.why, "some cause"), {"Predict", "weather", "", &caller}, &probe);
    const std::string line = testing::internal::GetCapturedStderr();
    EXPECT_EQ(probe.rejected[row.why].Value(), 1u) << row.label;
    EXPECT_THAT(line, HasSubstr(absl::StrCat("event=refused reason=", row.label, " code=")));
    EXPECT_THAT(line, HasSubstr(" method=Predict model=weather peer=ipv4:10.0.0.1:5000 request_id=call-7 "
                                "message=\"some cause\""));
  }
}

TEST(RecordRefusalTest, OfManyAlikeEachIsCountedAndFewAreLogged) {
  RequestsProbe probe;
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) RecordRefusal(absl::InvalidArgumentError(absl::StrCat("cause ", i)), {}, &probe);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(probe.rejected[Why::kInvalid].Value(), 1000u);
  EXPECT_THAT(log, Not(HasSubstr("cause 999\n")));
}

}  // namespace
}  // namespace rondo
