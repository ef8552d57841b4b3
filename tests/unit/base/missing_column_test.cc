#include "base/missing_column.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MissingColumnTest, TheColumnThatWasLikelyMeantIsNamed) {
  EXPECT_EQ(InsteadOfColumn("temp_mx", {"date", "temp_max", "temp_min"}),
            "; its columns are date, temp_max, temp_min; did you mean 'temp_max'?");
  EXPECT_EQ(InsteadOfColumn("precip", {"precipitation_type", "precipitation", "prices"}),
            "; its columns are precipitation_type, precipitation, prices; did you mean 'precipitation'?");
  EXPECT_EQ(InsteadOfColumn("price", {"date", "wind"}), "; its columns are date, wind");
  EXPECT_EQ(InsteadOfColumn("x", {"y"}), "; its columns are y");  // nothing of it is left
}

TEST(MissingColumnTest, ATableOfManyColumnsDoesNotFillTheTerminal) {
  std::vector<std::string> header;
  for (int i = 0; i < 400; ++i) header.push_back(absl::StrCat("column_", i));
  header.push_back(std::string(1000, 'a'));
  const std::string text = InsteadOfColumn("colum_390", header);
  EXPECT_THAT(text, HasSubstr("column_19 and 381 more"));
  EXPECT_THAT(text, EndsWith("; did you mean 'column_390'?"));
  EXPECT_LT(InsteadOfColumn("x", {std::string(1000, 'a')}).size(), 100);
}

TEST(MissingColumnTest, ANameIsCutBetweenTwoCharacters) {
  const std::string euros = [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "\xE2\x82\xAC";
    return text;
  }();
  EXPECT_EQ(InsteadOfColumn("x", {euros}), absl::StrCat("; its columns are ", euros.substr(0, 63), "..."));
}

TEST(MissingColumnTest, AFirstRowOfValuesIsNoHeader) {
  EXPECT_THAT(InsteadOfColumn("x", {"2015-01-01", " -1.5"}), EndsWith(": wanted their names in the first row"));
  EXPECT_THAT(InsteadOfColumn("x", {"2015-01-01", "y"}), Not(HasSubstr("wanted")));
}

TEST(MissingColumnTest, NamesThatAreNotTakenApartSuggestNothing) {
  EXPECT_EQ(InsteadOfColumn("date", {"date;x"}), "; its columns are date;x");
}

}  // namespace
}  // namespace rondo
