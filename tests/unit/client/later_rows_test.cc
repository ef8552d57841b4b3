#include "client/cli/later_rows.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

// Adds a row whose cells are its time, a measured value (empty in a promise) and what is known before.
void Add(LaterRows* rows, int64_t number, const std::string& time, const std::string& measured,
         const std::string& known) {
  rows->Add({number, {time, measured, known}}, measured.empty(), time);
}

TEST(LaterRowsTest, ARowWaitsForTheRowsAfterIt) {
  LaterRows rows(/*ahead=*/2, /*fills=*/false);
  Add(&rows, 1, "mon", "5", "0");
  Add(&rows, 2, "tue", "6", "1");
  EXPECT_EQ(rows.Take(), std::nullopt);
  EXPECT_EQ(rows.waiting()->number, 1);
  Add(&rows, 3, "wed", "", "1");
  const std::optional<CsvRow> row = rows.Take();
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->number, 1);
  EXPECT_THAT(row->later, ElementsAre(ElementsAre("tue", "6", "1"), ElementsAre("wed", "", "1")));
  EXPECT_EQ(rows.Take(), std::nullopt);
}

TEST(LaterRowsTest, TheRowOfItsTimeTakesThePlaceOfAPromise) {
  LaterRows rows(1, /*fills=*/true);
  Add(&rows, 1, "mon", "5", "0");
  Add(&rows, 2, "tue", "", "1");
  EXPECT_EQ(rows.Take()->number, 1);
  EXPECT_EQ(rows.waiting(), nullptr);
  Add(&rows, 3, "tue", "6", "1");
  EXPECT_EQ(rows.Take(), std::nullopt);
  Add(&rows, 4, "wed", "", "0");
  const std::optional<CsvRow> row = rows.Take();
  EXPECT_EQ(row->number, 3);
  EXPECT_THAT(row->later, ElementsAre(ElementsAre("wed", "", "0")));
}

TEST(LaterRowsTest, WithoutTimesTheNextRowTakesThePlaceOfAPromise) {
  LaterRows rows(1, /*fills=*/false);
  Add(&rows, 1, "", "5", "0");
  Add(&rows, 2, "", "", "1");
  EXPECT_EQ(rows.Take()->number, 1);
  Add(&rows, 3, "", "6", "1");
  Add(&rows, 4, "", "", "0");
  EXPECT_EQ(rows.Take()->number, 3);
  EXPECT_EQ(rows.Take(), std::nullopt);
}

TEST(LaterRowsTest, APromiseWhoseTimeHasPassedIsATimestepWithoutValues) {
  LaterRows rows(1, /*fills=*/true);
  Add(&rows, 1, "mon", "5", "0");
  Add(&rows, 2, "tue", "", "1");
  Add(&rows, 3, "wed", "6", "0");
  EXPECT_EQ(rows.Take()->number, 1);
  EXPECT_EQ(rows.Take()->number, 2);
  EXPECT_EQ(rows.waiting()->number, 3);
}

TEST(LaterRowsTest, WithoutLookingAheadNoRowWaits) {
  LaterRows rows(0, false);
  rows.Add({1, {"5"}}, false, "");
  EXPECT_EQ(rows.Take()->number, 1);
}

}  // namespace
}  // namespace rondo
