// A Redis that speaks TLS, asks for a user and a password, and has its certificate from a CA of its own.
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/session_store.h"
#include "tests/integration/store/redis_server.h"
#include "tests/integration/store/store_calls.h"
#include "tests/integration/test_certificates.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

class RedisTlsTest : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = absl::StrCat(folder_.path(), "/", name);
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }
  void StartRedis(const std::string& certificate_name) {
    const Certificate own = authority_.Issue(certificate_name);
    port_ = FreePort();
    redis_ = std::make_unique<RedisServer>(std::vector<std::string>{
        "--tls-port", absl::StrCat(port_), "--tls-cert-file", Write("cert", own.cert), "--tls-key-file",
        Write("key", own.key), "--tls-auth-clients", "no", "--user", "rondo", "on", ">secret", "~*", "&*", "+@all"});
  }
  absl::Status Open(const std::string& login, const std::string& files) const {
    return OpenSessionStore(absl::StrCat("rediss://", login, "localhost:", port_, files)).status();
  }

  const CertificateAuthority authority_, other_authority_;
  const TemporaryFolder folder_;
  const std::string ca_ = "?ca=" + Write("ca", authority_.cert());
  int port_ = 0;
  std::unique_ptr<RedisServer> redis_;
};

TEST_F(RedisTlsTest, SessionsAreSavedAndLoadedOverTls) {
  StartRedis("localhost");
  const std::string password = "&password_file=" + Write("password", "secret\n");
  auto store = OpenSessionStore(absl::StrCat("rediss://rondo@localhost:", port_, ca_, password));
  ASSERT_TRUE(store.ok()) << store.status();
  const std::string large(3'000'000, 'x');
  SessionStore::SaveOp save;
  save.id = "s";
  save.value = large;
  (*store)->Save(absl::MakeSpan(&save, 1));
  EXPECT_TRUE(save.status.ok()) << save.status;
  SessionStore::LoadOp load;
  load.id = "s";
  (*store)->Load(absl::MakeSpan(&load, 1));
  EXPECT_TRUE(load.status.ok()) << load.status;
  EXPECT_EQ(load.value, large);
}

TEST_F(RedisTlsTest, ACertificateOfAnotherCaOrForAnotherHostIsNotTrusted) {
  StartRedis("elsewhere");
  const absl::Status other_host = Open("", ca_);
  EXPECT_EQ(other_host.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(other_host.message()), HasSubstr("certificate that is not trusted"));
  EXPECT_EQ(Open("", "?ca=" + Write("other", other_authority_.cert())).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Open("", "").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Open("", "?ca=/none").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RedisTlsTest, AWrongOrMissingPasswordIsRefused) {
  StartRedis("localhost");
  EXPECT_EQ(Open("rondo:wrong@", ca_).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Open("rondo@", ca_ + "&password_file=/none").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Open("rondo:secret@", ca_).ok());
  ASSERT_EQ(setenv("RONDO_REDIS_PASSWORD", "secret", 1), 0);
  EXPECT_TRUE(Open("rondo@", ca_).ok());
  ASSERT_EQ(unsetenv("RONDO_REDIS_PASSWORD"), 0);
  EXPECT_EQ(Open("rondo@", ca_).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rondo
