#include "server/serve/check_sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/unit/serve/calendar_model.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(CheckTimestepsTest, TokensAreWholeNumbersOfTheVocabulary) {
  const Model model = CalendarModel(0, /*tokens=*/5);
  EXPECT_TRUE(CheckTimesteps({0, 4}, {}, model, 10).ok());
  for (const float bad : {-1.0f, 5.0f, 0.5f, -0.5f, std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(CheckTimesteps({bad}, {}, model, 10).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_THAT(std::string(CheckTimesteps({5}, {}, model, 10).message()),
              HasSubstr("wanted a whole number from 0 to 4"));
}

TEST(CheckTimestepsTest, CalendarModelsNeedOneTimeATimestepInTheYears1To9999) {
  const Model model = CalendarModel(60);
  EXPECT_TRUE(CheckTimesteps({1, 2}, {0}, model, 10).ok());
  EXPECT_THAT(std::string(CheckTimesteps({1, 2}, {}, model, 10).message()), HasSubstr("times has 0 entries"));
  for (const int64_t bad : {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(CheckTimesteps({1, 2}, {bad}, model, 10).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(CheckTimestepsTest, ValuesAreWholeTimestepsUpToTheLimit) {
  const Model model = CalendarModel(60);
  const int64_t times[] = {0, 60};
  for (const size_t count : {0u, 1u, 3u}) {
    const std::vector<float> values(count, 1.0f);
    EXPECT_THAT(std::string(CheckTimesteps(values, times, model, 10).message()),
                HasSubstr("takes a multiple of input_size=2"));
  }
  EXPECT_TRUE(CheckTimesteps({1, 2, 3, 4}, times, model, 2).ok());
  EXPECT_THAT(std::string(CheckTimesteps({1, 2, 3, 4}, times, model, 1).message()),
              HasSubstr("has 2 timesteps; at most 1 are taken at once"));
}

TEST(CheckValuesTest, TheFirstNumberThatIsNotFiniteIsNamedByItsPlace) {
  const Model model = CalendarModel(60);
  EXPECT_TRUE(CheckValues({1, 2, 3, 4}, model, {}).ok());
  for (const float bad : {kNan, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(std::string(CheckValues({1, 2, 3, bad}, model, {}).message()),
                HasSubstr("values[3] (timestep 1, input 'b') is"));
  }
}

TEST(CheckValuesTest, ColumnsThatAreIgnoredMayHoldAnything) {
  const Model model = CalendarModel(60);
  const bool first[] = {true, false};
  EXPECT_TRUE(CheckValues({kNan, 2, kNan, 4}, model, first).ok());
  EXPECT_THAT(std::string(CheckValues({kNan, 2, 3, kNan}, model, first).message()), HasSubstr("values[3]"));
}

class CheckSequenceTest : public testing::Test {
 protected:
  std::string Refused(const SequenceView& sequence, bool last_only = false) {
    const absl::Status status = CheckSequence(sequence, model_, last_only, limits_);
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  }

  const Model model_ = CalendarModel(60);
  const float values_[4] = {1, 2, 3, 4};
  const int64_t times_[2] = {0, 60};
  ServeLimits limits_;
  SequenceView sequence_{"s", 0, values_, times_, false};
};

TEST_F(CheckSequenceTest, OnlyASessionHasAPositionAndAnEnd) {
  sequence_.position = 7;
  sequence_.end_session = true;
  EXPECT_EQ(Refused(sequence_), "");
  sequence_.session_id = "";
  EXPECT_EQ(Refused(sequence_), "end_session is set, but session_id is empty");
  sequence_.end_session = false;
  EXPECT_EQ(Refused(sequence_), "position is 7, but session_id is empty");
  sequence_.position = 0;
  EXPECT_EQ(Refused(sequence_), "");
}

TEST_F(CheckSequenceTest, TheReplyFitsIntoAMessage) {
  limits_.max_message_bytes = 15;  // a byte short of two rows of two outputs
  EXPECT_THAT(Refused(sequence_), HasSubstr("the reply would have 16 bytes; a message has at most 15"));
  EXPECT_EQ(Refused(sequence_, /*last_only=*/true), "");
  limits_.max_message_bytes = 16;
  EXPECT_EQ(Refused(sequence_), "");
}

TEST_F(CheckSequenceTest, ItsTimestepsAreThoseThatTheModelTakes) {
  limits_.max_timesteps = 1;
  EXPECT_THAT(Refused(sequence_), HasSubstr("at most 1 are taken at once"));
  sequence_.values = {};
  EXPECT_THAT(Refused(sequence_), HasSubstr("values has 0 floats"));
}

}  // namespace
}  // namespace rondo
