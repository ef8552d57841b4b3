#include "base/csv_reader.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Rows = std::vector<std::vector<std::string>>;

Rows TakeAll(CsvReader* reader) {
  Rows rows;
  while (std::optional<std::vector<std::string>> row = reader->TakeRow()) rows.push_back(*std::move(row));
  return rows;
}

TEST(CsvReaderTest, ARowIsThereAsSoonAsItsLineIsFed) {
  CsvReader reader;
  ASSERT_TRUE(reader.Feed("a,b\n1,").ok());
  EXPECT_EQ(TakeAll(&reader), (Rows{{"a", "b"}}));
  ASSERT_TRUE(reader.Feed("2").ok());
  EXPECT_TRUE(TakeAll(&reader).empty());
  ASSERT_TRUE(reader.Feed("\r").ok());
  EXPECT_EQ(TakeAll(&reader), (Rows{{"1", "2"}}));
  ASSERT_TRUE(reader.Feed("\n3,4").ok());
  EXPECT_TRUE(TakeAll(&reader).empty());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(TakeAll(&reader), (Rows{{"3", "4"}}));
}

TEST(CsvReaderTest, EverySplitReadsTheSame) {
  const std::string text = "\xEF\xBB\xBF\"a \"\"x\"\"\",b\r\n\"1,\n2\", 3 \n\n,\r\nlast,\"\"";
  const Rows expected = {{"a \"x\"", "b"}, {"1,\n2", "3"}, {"", ""}, {"last", ""}};
  for (size_t split = 0; split <= text.size(); ++split) {
    CsvReader reader;
    ASSERT_TRUE(reader.Feed(text.substr(0, split)).ok());
    ASSERT_TRUE(reader.Feed(text.substr(split)).ok());
    ASSERT_TRUE(reader.Finish().ok());
    EXPECT_EQ(TakeAll(&reader), expected) << "split at " << split;
  }
}

TEST(CsvReaderTest, HalfAByteOrderMarkIsText) {
  CsvReader reader;
  ASSERT_TRUE(reader.Feed("\xEF\xBB").ok());
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_EQ(TakeAll(&reader), (Rows{{"\xEF\xBB"}}));
}

TEST(CsvReaderTest, AnEmptyInputHasNoRow) {
  CsvReader reader;
  ASSERT_TRUE(reader.Finish().ok());
  EXPECT_TRUE(TakeAll(&reader).empty());
}

TEST(CsvReaderTest, AQuoteInsideACellIsAnErrorOfTheRowThatHasIt) {
  CsvReader reader;
  const absl::Status status = reader.Feed("a,b\n1,2\n3,4\"5\n");
  EXPECT_EQ(status, absl::InvalidArgumentError("has a quote in the wrong place"));
  EXPECT_EQ(reader.complete_rows(), 2);
}

TEST(CsvReaderTest, AnOpenQuoteAtTheEndIsAnError) {
  CsvReader reader;
  ASSERT_TRUE(reader.Feed("a,\"b").ok());
  EXPECT_EQ(reader.Finish(), absl::InvalidArgumentError("ends inside a quoted cell"));
}

TEST(CsvReaderTest, AnOpenQuoteCannotTakeAllMemory) {
  CsvReader reader;
  ASSERT_TRUE(reader.Feed("a\n\"").ok());
  const std::string block(size_t{1} << 16, 'x');
  absl::Status status;
  for (int i = 0; i < 18 && status.ok(); ++i) status = reader.Feed(block);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is longer than"));
  EXPECT_EQ(reader.complete_rows(), 1);
}

TEST(CsvReaderTest, ManyEmptyCellsCannotTakeAllMemory) {
  CsvReader reader;
  EXPECT_FALSE(reader.Feed(std::string(CsvReader::kMaxRowBytes + (size_t{1} << 16), ',')).ok());
}

TEST(CsvReaderTest, BlankLinesAreNoRowsHoweverMany) {
  CsvReader reader;
  ASSERT_TRUE(reader.Feed(std::string(2 * CsvReader::kMaxRowBytes, '\n') + "a\n").ok());
  EXPECT_THAT(TakeAll(&reader), ElementsAre(ElementsAre("a")));
}

}  // namespace
}  // namespace rondo
