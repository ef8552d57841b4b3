#include "server/serve/end_news.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::set<std::pair<std::string, std::string>> Take(EndNews* news) {
  std::set<std::pair<std::string, std::string>> taken;
  news->TakeSome([&taken](absl::string_view id, const SessionEnd& end) { taken.emplace(id, ReasonOf(end)); });
  return taken;
}

TEST(EndNewsTest, EachSessionIsToldOnceWithItsNewestEnd) {
  EndNews news;
  news.Add("a", {SessionEnd::Cause::kLifetime, absl::ZeroDuration()});
  news.Add("b", kEndedByRequest);
  news.Add("a", {SessionEnd::Cause::kDeleted, absl::ZeroDuration()});
  news.Drop("b");
  news.Drop("never");
  EXPECT_THAT(Take(&news), ElementsAre(Pair("a", "deleted by its owner")));
  EXPECT_TRUE(news.empty());
}

TEST(EndNewsTest, ManyAreToldInSeveralMessages) {
  EndNews news;
  for (size_t i = 0; i < 2 * EndNews::kMostAtOnce + 5; ++i) {
    EXPECT_EQ(news.IsMuch(), i >= EndNews::kMostAtOnce);
    news.Add(absl::StrCat("s", i), kEndedByRequest);
  }
  std::set<std::pair<std::string, std::string>> all;
  for (const size_t count : {EndNews::kMostAtOnce, EndNews::kMostAtOnce, size_t{5}}) {
    EXPECT_FALSE(news.empty());
    const auto taken = Take(&news);
    EXPECT_EQ(taken.size(), count);
    all.insert(taken.begin(), taken.end());
  }
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(all.size(), 2 * EndNews::kMostAtOnce + 5);
}

}  // namespace
}  // namespace rondo
