#include "server/listen/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  std::string Refusal(const std::string& path) const {
    const absl::StatusOr<UnixSocket> made = ListenAtPath(path, UnixSocketAccess::kOwner);
    if (made.ok()) close(made->descriptor);
    return std::string(made.status().message());
  }
  mode_t Mode() const {
    struct stat status {};
    EXPECT_EQ(lstat(path_.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  const std::string path_ = folder_ + "/s";
};

TEST_F(UnixSocketTest, ItsAddressesHaveTwoForms) {
  EXPECT_EQ(UnixPathOf("unix:/run/s"), "/run/s");
  EXPECT_EQ(UnixPathOf("unix:///run/s"), "/run/s");
  EXPECT_EQ(UnixPathOf("unix:s"), "s");
  EXPECT_EQ(UnixPathOf("localhost:80"), "");
  EXPECT_FALSE(CheckUnixPath("").ok());
  EXPECT_TRUE(CheckUnixPath(std::string(107, 'x')).ok());
  EXPECT_FALSE(CheckUnixPath(std::string(108, 'x')).ok());
}

TEST_F(UnixSocketTest, ItsPermissionsAreTheOnesAskedForWhateverTheUmask) {
  const mode_t old = umask(0022);
  for (const auto& [access, mode] : {std::pair<UnixSocketAccess, mode_t>{UnixSocketAccess::kOwner, 0600},
                                     {UnixSocketAccess::kGroup, 0660},
                                     {UnixSocketAccess::kAll, 0666}}) {
    const absl::StatusOr<UnixSocket> made = ListenAtPath(path_, access);
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(Mode(), mode);
    close(made->descriptor);
    RemoveFileOf(*made);
    EXPECT_FALSE(fs::exists(path_));
  }
  umask(old);
}

TEST_F(UnixSocketTest, OneThatIsListenedAtIsLeftAloneAndOneThatIsNotIsReplaced) {
  const absl::StatusOr<UnixSocket> first = ListenAtPath(path_, UnixSocketAccess::kOwner);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(Refusal(path_), HasSubstr("another process listens there"));
  close(first->descriptor);  // as a server that was killed leaves it
  const absl::StatusOr<UnixSocket> second = ListenAtPath(path_, UnixSocketAccess::kOwner);
  ASSERT_TRUE(second.ok()) << second.status();
  fs::remove(path_);
  const absl::StatusOr<UnixSocket> third = ListenAtPath(path_, UnixSocketAccess::kOwner);
  ASSERT_TRUE(third.ok()) << third.status();
  RemoveFileOf(*second);  // not the third one's
  EXPECT_TRUE(fs::exists(path_));
  close(second->descriptor);
  close(third->descriptor);
}

TEST_F(UnixSocketTest, OfServersThatStartTogetherOneListensAndTheOthersSayWhy) {
  std::array<absl::StatusOr<UnixSocket>, 8> made;
  std::vector<std::thread> servers;
  for (absl::StatusOr<UnixSocket>& one : made) {
    servers.emplace_back([this, &one] { one = ListenAtPath(path_, UnixSocketAccess::kOwner); });
  }
  for (std::thread& server : servers) server.join();
  int listening = 0;
  for (const absl::StatusOr<UnixSocket>& one : made) {
    if (one.ok()) {
      ++listening;
      close(one->descriptor);
    } else {
      EXPECT_THAT(std::string(one.status().message()), HasSubstr("another process listens there"));
    }
  }
  EXPECT_EQ(listening, 1);
}

TEST_F(UnixSocketTest, ItsLockIsItsOwnersAloneAndNotThatOfItsFolder) {
  const int folder = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(folder, LOCK_EX), 0);  // as anyone may who can read the folder
  EXPECT_EQ(Refusal(path_), "");
  close(folder);
  struct stat status {};
  ASSERT_EQ(lstat((path_ + ".lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(UnixSocketTest, ALockThatIsALinkIsNotFollowed) {
  fs::create_symlink(folder_ + "/elsewhere", path_ + ".lock");
  EXPECT_THAT(Refusal(path_), HasSubstr("its lock "));
  EXPECT_FALSE(fs::exists(folder_ + "/elsewhere"));
}

TEST_F(UnixSocketTest, AFileThatIsNoSocketStays) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Refusal(path_), HasSubstr("there is a file that is no socket"));
  EXPECT_EQ(fs::file_size(path_), 8u);
  fs::remove(path_);
  fs::create_symlink(folder_ + "/elsewhere", path_);
  EXPECT_THAT(Refusal(path_), HasSubstr("no socket"));
  EXPECT_THAT(Refusal(folder_ + "/missing/s"), HasSubstr("No such file"));
}

}  // namespace
}  // namespace rondo
