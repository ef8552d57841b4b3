#include "base/vocabulary.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::shared_ptr<const Vocabulary> Of(std::vector<std::string> texts) { return *Vocabulary::Create(std::move(texts)); }

TEST(VocabularyTest, TakesTheLongestTokenAtEachPlace) {
  const auto vocabulary = Of({"", "t", "h", "e", "th", "the", "r"});
  EXPECT_THAT(*vocabulary->Encode("thertheth", 4), ElementsAre(5, 6, 5, 4));
  EXPECT_THAT(*vocabulary->Encode("", 0), IsEmpty());
  EXPECT_EQ(vocabulary->TextOf(5), "the");
  EXPECT_EQ(vocabulary->max_text_bytes(), 3u);
}

TEST(VocabularyTest, CharactersOfSeveralBytesAreTokens) {
  EXPECT_THAT(*Of({"日", "本", "\n"})->Encode("本日\n本", 9), ElementsAre(1, 0, 2, 1));
}

TEST(VocabularyTest, ATextWithoutATokenIsRefusedByItsPlace) {
  const absl::Status status = Of({"a", "b"})->Encode("abXa", 9).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("at byte 2: 'Xa'"));
  EXPECT_FALSE(Of({""})->Encode("a", 9).ok());
}

TEST(VocabularyTest, ATextOfTooManyTokensIsRefused) {
  EXPECT_TRUE(Of({"a"})->Encode("aaa", 3).ok());
  EXPECT_THAT(std::string(Of({"a"})->Encode("aaaa", 3).status().message()), HasSubstr("more than 3 tokens"));
}

TEST(VocabularyTest, TextsThatCannotBeToldApartAreRefused) {
  const auto refusal = [](std::vector<std::string> texts) {
    return std::string(Vocabulary::Create(std::move(texts)).status().message());
  };
  EXPECT_THAT(refusal({"a", "b", "a"}), HasSubstr("vocabulary[2] is 'a', which is also that of token 0"));
  EXPECT_THAT(refusal({"a", "\xff"}), HasSubstr("vocabulary[1] is not UTF-8"));
  EXPECT_THAT(refusal({std::string(257, 'a')}), HasSubstr("vocabulary[0] has 257 bytes"));
  EXPECT_TRUE(Vocabulary::Create({"", "", std::string(256, 'a')}).ok());
}

}  // namespace
}  // namespace rondo
