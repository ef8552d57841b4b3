#include "server/access/credentials.h"

#include <cstdio>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

// printf TOKEN | sha256sum
constexpr char kTest[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
constexpr char kFoo[] = "2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE";
const absl::Time kNow = absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone());

class CredentialsTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) const { std::ofstream(file_, std::ios::trunc) << text; }
  void Open(const std::string& text) {
    Write(text);
    auto opened = Credentials::Open(file_, &tenants_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    credentials_ = *std::move(opened);
  }
  // Why a file of these lines is not taken.
  std::string Fault(const std::string& text) {
    Write(text);
    return std::string(Credentials::Open(file_, &tenants_).status().message());
  }
  // "TENANT ROLE" of a call, or why it has none.
  std::string Who(const Shown& shown, absl::Time now = kNow) const {
    const absl::StatusOr<Principal> principal = credentials_->Identify(shown, now);
    if (principal.ok()) return absl::StrCat(principal->tenant->name(), " ", NameOf(principal->role));
    EXPECT_EQ(principal.status().code(), absl::StatusCode::kUnauthenticated);
    return std::string(principal.status().message());
  }

  const TemporaryFolder folder_;
  const std::string file_ = folder_.Path("tokens");
  Metrics metrics_;
  Tenants tenants_{&metrics_};
  std::unique_ptr<Credentials> credentials_;
};

TEST_F(CredentialsTest, ATokenIsATenantWithARole) {
  Open(absl::StrCat("# who\n\n  ", kTest, "\tacme predict # the meters\r\n", kFoo, " globex sessions\n"));
  EXPECT_EQ(Who({{"Bearer test"}, {}}), "acme predict");
  EXPECT_EQ(Who({{"bearer foo"}, {}}), "globex sessions");
  EXPECT_EQ(Who({{"Bearer Test"}, {}}), "the token is not known");
  EXPECT_EQ(Who({{absl::StrCat("Bearer ", kTest)}, {}}), "the token is not known");
  EXPECT_EQ(Who({{"Bearer "}, {}}), "the authorization is of another kind; wanted Bearer TOKEN");
  EXPECT_EQ(Who({{"Basic test"}, {}}), "the authorization is of another kind; wanted Bearer TOKEN");
  EXPECT_EQ(Who({}), "no credentials; wanted the metadata authorization: Bearer TOKEN");
  EXPECT_EQ(Who({{"Bearer test", "Bearer test"}, {}}), "more than one authorization; wanted one");
}

TEST_F(CredentialsTest, ACertificateIsATenantUnlessATokenIsShown) {
  Open(absl::StrCat("cert:meter.acme acme predict\n", kTest, " globex admin\n"));
  EXPECT_EQ(Who({{}, {"other", "meter.acme"}}), "acme predict");
  EXPECT_EQ(Who({{}, {"meter"}}), "no token, and the certificate is not known");
  EXPECT_EQ(Who({{"Bearer test"}, {"meter.acme"}}), "globex admin");
  EXPECT_EQ(Who({{"Bearer wrong"}, {"meter.acme"}}), "the token is not known");
  EXPECT_EQ(Who({{"Bearer cert:meter.acme"}, {}}), "the token is not known");
}

TEST_F(CredentialsTest, CredentialsEndWhenTheirLineSays) {
  Open(absl::StrCat(kTest, " acme predict 2026-06-02\n", kFoo, " acme predict 2026-05-31T23:00:00Z\n"));
  EXPECT_EQ(Who({{"Bearer test"}, {}}), "acme predict");
  EXPECT_EQ(Who({{"Bearer test"}, {}}, kNow + absl::Hours(24)), "the credentials have expired");
  EXPECT_EQ(Who({{"Bearer foo"}, {}}), "the credentials have expired");
}

TEST_F(CredentialsTest, TheTenantWithoutANameIsADash) {
  Open(absl::StrCat(kTest, " - admin"));
  EXPECT_EQ(Who({{"Bearer test"}, {}}), " admin");
}

TEST_F(CredentialsTest, AFileThatChangesIsTakenAndOneWithAFaultChangesNothing) {
  Open(absl::StrCat(kTest, " acme predict"));
  Write(absl::StrCat(kFoo, " acme predict"));
  credentials_->Refresh();
  EXPECT_EQ(Who({{"Bearer foo"}, {}}), "acme predict");
  EXPECT_EQ(Who({{"Bearer test"}, {}}), "the token is not known");
  Write(absl::StrCat(kTest, " acme predict\nnonsense\n"));
  credentials_->Refresh();
  EXPECT_EQ(Who({{"Bearer foo"}, {}}), "acme predict");
  std::remove(file_.c_str());
  credentials_->Refresh();
  EXPECT_EQ(Who({{"Bearer foo"}, {}}), "acme predict");
}

TEST_F(CredentialsTest, LimitsAreATenantsOwnOrThoseOfAll) {
  Tenant* const early = tenants_.Named("acme");
  Open("limit acme streams=2 steps_per_second=1e6\nlimit * streams=1");
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(early->quota()->TakeStream().ok());
  EXPECT_FALSE(early->quota()->TakeStream().ok());
  EXPECT_TRUE(tenants_.Named("globex")->quota()->TakeStream().ok());
  EXPECT_FALSE(tenants_.Named("globex")->quota()->TakeStream().ok());
  Write("");
  credentials_->Refresh();
  EXPECT_TRUE(early->quota()->TakeStream().ok());
}

TEST_F(CredentialsTest, AFaultInLimitsIsSaid) {
  EXPECT_THAT(Fault("limit acme"), HasSubstr("wanted limit TENANT KIND=VALUE..."));
  EXPECT_THAT(Fault("limit acme speed=1"), HasSubstr("\"speed=1\": wanted sessions, streams, connections, "));
  for (const char* term :
       {"session_lifetime=0", "session_lifetime=5", "session_lifetime=", "class=", "class=-", "class=a/b"}) {
    EXPECT_THAT(Fault(absl::StrCat("limit acme ", term)), HasSubstr("session_lifetime= and a time of 1s or more"))
        << term;
  }
  for (const char* number : {"", "0", "-1", "x", "nan", "1e99"}) {
    EXPECT_THAT(Fault(absl::StrCat("limit acme streams=", number)), HasSubstr("= and a number above 0"));
  }
  EXPECT_THAT(Fault("limit a/b streams=1"), HasSubstr("wanted a tenant"));
  EXPECT_THAT(Fault("limit a streams=1\nlimit a streams=2"), HasSubstr("wanted one line of limits a tenant"));
}

TEST_F(CredentialsTest, AFaultIsSaidWithItsLine) {
  const std::string test = kTest;
  EXPECT_EQ(Fault("\n" + test + " acme"),
            absl::StrCat("--tokens_file=", file_, " line 2: \"", test,
                         " acme\": wanted TOKEN_SHA256 or cert:NAME, TENANT, ROLE [UNTIL]"));
  EXPECT_THAT(Fault("secret acme predict"), HasSubstr("wanted the SHA-256 of a token as 64 hex digits, or cert:NAME"));
  EXPECT_THAT(Fault("cert: acme predict"), HasSubstr("or cert:NAME"));
  EXPECT_THAT(Fault(test + "0 acme predict"), HasSubstr("64 hex digits"));
  EXPECT_THAT(Fault(test + " acme root"), HasSubstr("\"root\": wanted a role: predict, sessions or admin"));
  EXPECT_THAT(Fault(test + " acme anyone"), HasSubstr("wanted a role"));
  EXPECT_THAT(Fault(test + " ac/me predict"), HasSubstr("wanted a tenant, 1 to 64 of letters, digits and _.-"));
  EXPECT_THAT(Fault(test + " " + std::string(65, 'a') + " predict"), HasSubstr("wanted a tenant"));
  EXPECT_THAT(Fault(test + " acme predict soon"), HasSubstr("line 1: "));
  EXPECT_THAT(Fault(test + " acme predict\n" + test + " globex admin"),
              HasSubstr("wanted each token and certificate once"));
  EXPECT_THAT(Fault(std::string("\0\xff a b", 6)), HasSubstr("\\x00\\xff"));
}

}  // namespace
}  // namespace rondo
