#include "server/listen/listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/listen/local_connection.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

// Greets each connection with a byte and keeps it open until CloseOne or the end.
class ListenerTest : public ::testing::Test {
 protected:
  ~ListenerTest() override {
    listener_.reset();
    if (kept_ >= 0) close(kept_);
  }

  void Listen(const std::string& address, size_t max_connections) {
    absl::StatusOr<std::unique_ptr<Listener>> listener =
        Listener::Open({address, max_connections, absl::ZeroDuration()}, &metrics_);
    ASSERT_TRUE(listener.ok()) << listener.status();
    listener_ = *std::move(listener);
    listener_->Start([this](int listening_socket, int connection) {
      listening_socket_ = listening_socket;
      EXPECT_EQ(write(connection, "!", 1), 1);
      const int before = kept_.exchange(connection);
      if (before >= 0) close(before);
    });
  }
  void CloseOne() { close(kept_.exchange(-1)); }
  double Refused() { return static_cast<double>(metrics_.requests()->rejected[Why::kConnectionsFull].Value()); }

  Metrics metrics_;
  std::atomic<int> listening_socket_{-1};
  std::atomic<int> kept_{-1};
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TurnsAwayWhoComesTooManyAndLetsInWhoComesLater) {
  Listen("127.0.0.1:0", 1);
  const LocalConnection first(listener_->port());
  EXPECT_TRUE(first.HearsAByte());
  EXPECT_FALSE(LocalConnection(listener_->port()).HearsAByte());
  EXPECT_EQ(Refused(), 1);
  CloseOne();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!LocalConnection(listener_->port()).HearsAByte()) ASSERT_LT(absl::Now(), deadline);
}

TEST_F(ListenerTest, OpensItsSocketAgainWhenItBreaks) {
  Listen("127.0.0.1:0", 10);
  EXPECT_TRUE(LocalConnection(listener_->port()).HearsAByte());
  ASSERT_EQ(shutdown(listening_socket_, SHUT_RDWR), 0);
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (!LocalConnection(listener_->port()).HearsAByte()) ASSERT_LT(absl::Now(), deadline);
  EXPECT_TRUE(listener_->IsWell());
}

TEST_F(ListenerTest, ListensOnEveryAddressAndOnNames) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "localhost:0"}) {
    Listen(address, 10);
    EXPECT_TRUE(LocalConnection(listener_->port()).HearsAByte()) << address;
  }
}

TEST_F(ListenerTest, AFreePortIsNotSharedWithASecondListener) {
  Listen("127.0.0.1:0", 10);
  const std::string address = absl::StrCat("127.0.0.1:", listener_->port());
  const absl::Status second = Listener::Open({address, 10, absl::ZeroDuration()}, &metrics_).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.message()), HasSubstr(absl::StrCat("cannot listen on ", address, ": in use")));
}

TEST_F(ListenerTest, NobodyListensOnceItHasStopped) {
  Listen("127.0.0.1:0", 10);
  const int port = listener_->port();
  listener_->Stop();
  EXPECT_FALSE(LocalConnection(port).connected());
}

}  // namespace
}  // namespace rondo
