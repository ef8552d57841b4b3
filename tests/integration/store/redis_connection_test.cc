// What a connection does when it is no Redis, or a hostile one, that answers.
#include "server/store/redis_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/redis_sentinel.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

// Accepts one connection, sends what it is made with, and closes when the other side does. `of_main`: what it answers
// to a command that ends with the word "main", as a sentinel is asked.
class Impostor {
 public:
  explicit Impostor(std::string answer, std::string of_main = "")
      : answer_(std::move(answer)), of_main_(std::move(of_main)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    address_.host = "127.0.0.1";
    address_.port = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~Impostor() {
    shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
    close(listener_);
  }
  const RedisAddress& address() const { return address_; }
  // Waits until the other side has ended its connection: 0 if all that it sent had come before, or errno.
  int EndOfConnection() {
    thread_.join();
    return end_;
  }

 private:
  void Serve() {
    const int file = accept(listener_, nullptr, nullptr);
    if (file < 0) return;
    (void)send(file, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    std::string heard;
    ssize_t received = 0;
    for (char byte = 0; (received = recv(file, &byte, 1, 0)) > 0;) {
      heard += byte;
      if (absl::EndsWith(heard, "\r\nmain\r\n")) (void)send(file, of_main_.data(), of_main_.size(), MSG_NOSIGNAL);
    }
    end_ = received < 0 ? errno : 0;
    close(file);
  }

  const std::string answer_;
  const std::string of_main_;
  const int listener_;
  RedisAddress address_;
  int end_ = 0;
  std::thread thread_;
};

absl::Status Connect(const std::string& answer) {
  RedisConnection::Limits limits;
  limits.silence = absl::Milliseconds(100);
  limits.reply_bytes = 1 << 20;
  Impostor impostor(answer);
  return RedisConnection::Open(impostor.address(), limits).status();
}

TEST(RedisConnectionTest, AServerOfAnotherProtocolIsToldFromRedis) {
  for (const std::string& answer :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("\x15\x03\x01\0\2\2\x46", 7),
        std::string("\0\0\x12\4\0\0\0\0\0", 9), std::string("SSH-2.0-OpenSSH_9.2\r\n"), std::string("+HELLO\r\n")}) {
    EXPECT_EQ(Connect(answer).code(), absl::StatusCode::kFailedPrecondition) << answer;
  }
}

TEST(RedisConnectionTest, ASilentServerIsUnavailable) {
  for (const char* answer : {"", "+PO", "$10\r\nPO", "$1000000000\r\n"}) {
    const absl::Status status = Connect(answer);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << answer;
    EXPECT_THAT(std::string(status.message()), HasSubstr("does not answer"));
  }
}

// Answers the login, and then only listens.
TEST(RedisConnectionTest, WhatAFailedCallHasNotDeliveredNeverArrives) {
  RedisConnection::Limits limits;
  limits.silence = absl::Milliseconds(100);
  Impostor impostor("+PONG\r\n");
  auto connection = RedisConnection::Open(impostor.address(), limits);
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ((*connection)->CallOne({"SET", "key", "value"}).status().code(), absl::StatusCode::kUnavailable);
  connection->reset();
  EXPECT_EQ(impostor.EndOfConnection(), ECONNRESET);
}

TEST(RedisConnectionTest, AnnouncedArraysAndAnswersWithoutEndTakeNoMemory) {
  for (const char* answer :
       {"*2147483647\r\n", "*1000000000\r\n$1\r\na\r\n", "*-7\r\n", "*99999999999999999999\r\n", "$-7\r\n",
        "$99999999999999999999\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"}) {
    EXPECT_FALSE(Connect(answer).ok()) << answer;
  }
  // Refused when they are announced, not when they do not come.
  for (const char* answer : {"*2147483647\r\n", "*3\r\n"}) {
    EXPECT_EQ(Connect(answer).code(), absl::StatusCode::kFailedPrecondition) << answer;
  }
  const absl::Status status = Connect(absl::StrCat("$1000000000\r\n", std::string(3 << 20, 'x')));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 1048576 bytes"));
}

absl::StatusOr<RedisAddress> AskSentinel(const std::string& answer) {
  RedisConnection::Limits limits;
  limits.silence = absl::Seconds(5);
  const Impostor sentinel("+PONG\r\n", answer);
  RedisAddress address;
  address.sentinels = {{sentinel.address().host, sentinel.address().port}};
  address.primary_name = "main";
  return FindPrimary(address, limits);
}

TEST(RedisConnectionTest, OfASentinelNothingIsTakenButAHostAndAPort) {
  const auto found = AskSentinel("*2\r\n$8\r\n10.0.0.1\r\n$4\r\n6379\r\n");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->Shown(), "redis://10.0.0.1:6379/0");
  for (const char* answer :
       {"*-1\r\n", "$-1\r\n", "*0\r\n", "*1\r\n$1\r\nh\r\n", "*3\r\n$1\r\nh\r\n", "+h\r\n", ":6379\r\n",
        "*2\r\n$0\r\n\r\n$4\r\n6379\r\n", "*2\r\n$1\r\nh\r\n$-1\r\n", "*2\r\n$1\r\nh\r\n$1\r\n0\r\n",
        "*2\r\n$1\r\nh\r\n$2\r\n-1\r\n", "*2\r\n$1\r\nh\r\n$5\r\n65536\r\n", "*2\r\n$1\r\nh\r\n$2\r\n1x\r\n",
        "*2\r\n:1\r\n:6379\r\n", "*2\r\n*2\r\n$1\r\nh\r\n$1\r\n1\r\n$1\r\n1\r\n"}) {
    EXPECT_EQ(AskSentinel(answer).status().code(), absl::StatusCode::kFailedPrecondition) << answer;
  }
}

TEST(RedisConnectionTest, ErrorsMeanWhatTheyMean) {
  EXPECT_EQ(RedisError("NOAUTH Authentication required.").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(RedisError("NOPERM this user has no permissions to run the 'del' command").code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(RedisError("LOADING Redis is loading the dataset in memory").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RedisError("MISCONF Redis is configured to save RDB snapshots").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(RedisError("MOVED 3999 127.0.0.1:6381").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RedisError("WRONGTYPE Operation against a key").code(), absl::StatusCode::kDataLoss);
  // Redis 6 and older.
  EXPECT_EQ(RedisError("ERR Error running script (call to f_1): @user_script:2: WRONGTYPE Operation").code(),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(RedisError("ERR Error running script: -OOM command not allowed when used memory > 'maxmemory'.").code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RedisError("").code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rondo
