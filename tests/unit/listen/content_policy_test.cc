#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/listen/index_page.h"
#include "tests/count_of.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// printf a | openssl dgst -sha256 -binary | base64
TEST(ContentPolicyTest, KnowsStyleAndScriptByTheirHashes) {
  const std::string policy = ContentPolicyOf("<p><style>a</style><script>b</script>");
  EXPECT_THAT(policy, HasSubstr("; style-src 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='; "));
  EXPECT_THAT(policy, HasSubstr("; script-src 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='; "));
}

TEST(ContentPolicyTest, AllowsThePageNothingElse) {
  const std::string policy = ContentPolicyOf(kIndexPage);
  for (const char* const rule : {"default-src 'none'; ", "; connect-src 'self'; ", "; img-src data:; ",
                                 "; base-uri 'none'; ", "; form-action 'none'; ", "; frame-ancestors 'none'"}) {
    EXPECT_THAT(policy, HasSubstr(rule));
  }
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(ContentPolicyTest, ThePageIsWholeAndAsksNobodyElse) {
  const std::string page(kIndexPage);
  for (const char* const once : {"<style>", "</style>", "<script>", "</script>", "</html>"}) {
    EXPECT_EQ(CountOf(once, page), 1) << once;
  }
  EXPECT_EQ(CountOf("<script", page), 1);
  EXPECT_EQ(CountOf("<style", page), 1);
  EXPECT_EQ(CountOf("://", page), CountOf("://www.w3.org/2000/svg", page)) << "a name of another server";
  for (const char* const part : {"color-scheme: light dark", "class Metrics ", "class HeatMap ",
                                 "function graphPicture(", "function showTiles(", "async function turn("}) {
    EXPECT_EQ(CountOf(part, page), 1) << part;
  }
}

}  // namespace
}  // namespace rondo
