#include "gtest/gtest.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

TEST(SessionNameTest, TheTenantWithoutANameKeepsItsIds) {
  std::string buffer;
  const absl::string_view id = "s";
  EXPECT_EQ(SessionName("", id, &buffer).data(), id.data());
  EXPECT_EQ(TenantIn("s"), "");
  EXPECT_EQ(IdIn("s"), "s");
}

TEST(SessionNameTest, ANameSaysItsTenantAndItsIdWhateverTheIdHas) {
  for (const absl::string_view tenant : {"", "acme"}) {
    for (const absl::string_view id : {"", "s", " ", "acme s", " acme s", "s acme", "acme", "acme/s"}) {
      const std::string name = SessionName(tenant, id);
      EXPECT_EQ(TenantIn(name), tenant) << name;
      EXPECT_EQ(IdIn(name), id) << name;
    }
  }
}

TEST(SessionNameTest, OnlyTheIdInANameIsJudged) {
  EXPECT_TRUE(ValidateSessionId(SessionName("acme", std::string(128, 'x'))).ok());
  EXPECT_FALSE(ValidateSessionId(SessionName("acme", std::string(129, 'x'))).ok());
  EXPECT_FALSE(ValidateSessionId(SessionName("acme", "a b")).ok());
  EXPECT_FALSE(ValidateSessionId(SessionName("", "a b")).ok());
  EXPECT_FALSE(ValidateSessionId(SessionName("acme", "")).ok());
}

}  // namespace
}  // namespace rondo
