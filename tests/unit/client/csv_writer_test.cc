#include "client/cli/csv_writer.h"

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace rondo {
namespace {

std::string Written(const std::vector<std::vector<std::string>>& rows) {
  int fds[2];
  EXPECT_EQ(pipe(fds), 0);
  CsvWriter writer(fds[1]);
  for (const std::vector<std::string>& row : rows) EXPECT_TRUE(writer.Row(row).ok());
  EXPECT_TRUE(writer.Flush().ok());
  close(fds[1]);
  char text[4096];
  const ssize_t size = read(fds[0], text, sizeof(text));
  close(fds[0]);
  return std::string(text, static_cast<size_t>(size));
}

TEST(FloatTextTest, IsTheShortestThatReadsBack) {
  EXPECT_EQ(FloatText(0.1f), "0.1");
  EXPECT_EQ(FloatText(13.0f), "13");
  EXPECT_EQ(FloatText(-0.0f), "-0");
  EXPECT_EQ(FloatText(16777216.0f), "16777216");
  EXPECT_EQ(FloatText(1e-20f), "1e-20");
}

TEST(FloatTextTest, EveryFloatReadsBack) {
  std::mt19937 random(7);
  for (int i = 0; i < 100000; ++i) {
    const uint32_t bits = random();
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    if (value != value) continue;
    ASSERT_EQ(std::strtof(FloatText(value).c_str(), nullptr), value);
  }
  const float smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(std::strtof(FloatText(smallest).c_str(), nullptr), smallest);
}

TEST(CsvWriterTest, CellsAreQuotedOnlyWhereNeeded) {
  EXPECT_EQ(Written({{"a", "b c", ""}, {"1,2", "say \"x\"", " y"}}), "a,b c,\n\"1,2\",\"say \"\"x\"\"\",\" y\"\n");
}

TEST(CsvWriterTest, AReaderThatIsGoneIsSeen) {
  std::signal(SIGPIPE, SIG_IGN);
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  close(fds[0]);
  CsvWriter writer(fds[1]);
  ASSERT_TRUE(writer.Row({"a"}).ok());
  EXPECT_EQ(writer.Flush().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(writer.reader_gone());
  close(fds[1]);
}

}  // namespace
}  // namespace rondo
