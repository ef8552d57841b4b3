#include "base/systemd_notice.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

// As systemd listens: a datagram socket, by path or by a name that begins with a zero byte.
class SystemdNoticeTest : public ::testing::Test {
 protected:
  ~SystemdNoticeTest() override {
    unsetenv("NOTIFY_SOCKET");
    if (socket_ >= 0) close(socket_);
    unlink(path_.c_str());
  }

  void ListenAt(const std::string& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    socket_ = socket(AF_UNIX, SOCK_DGRAM, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0) << strerror(errno);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  std::string Heard() const {
    std::array<char, 64> bytes;
    const ssize_t size = recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(bytes.data(), static_cast<size_t>(size));
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.Path("notify");
  int socket_ = -1;
};

TEST_F(SystemdNoticeTest, ReachesAPathAndAnAbstractName) {
  ListenAt(path_);
  EXPECT_TRUE(NotifySystemd("READY=1").ok());
  EXPECT_EQ(Heard(), "READY=1");
  close(socket_);
  ListenAt(absl::StrCat("@rondo_notify.", getpid()));
  EXPECT_TRUE(NotifySystemd("STOPPING=1").ok());
  EXPECT_EQ(Heard(), "STOPPING=1");
}

TEST_F(SystemdNoticeTest, NobodyIsToldWhereNobodyAsked) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(NotifySystemd("READY=1").ok());
  setenv("NOTIFY_SOCKET", "", 1);
  EXPECT_TRUE(NotifySystemd("READY=1").ok());
}

TEST_F(SystemdNoticeTest, AWrongSocketIsAnError) {
  setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  EXPECT_EQ(NotifySystemd("READY=1").code(), absl::StatusCode::kUnavailable);
  for (const std::string& name : {std::string("relative"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    EXPECT_EQ(NotifySystemd("READY=1").code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace rondo
