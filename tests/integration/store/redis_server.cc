#include "tests/integration/store/redis_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo {

int FreePort() {
  const int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(file, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(file, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(file);
  return ntohs(address.sin_port);
}

RedisServer::RedisServer(std::vector<std::string> options) : options_(std::move(options)) {
  address_.host = "127.0.0.1";
  address_.port = FreePort();
  Start();
}

void RedisServer::Start() {
  std::vector<std::string> arguments = {"--port",        absl::StrCat(address_.port),
                                        "--bind",        address_.host,
                                        "--dir",         folder_.path(),
                                        "--save",        "",
                                        "--appendonly",  "yes",
                                        "--appendfsync", "no"};
  arguments.insert(arguments.end(), options_.begin(), options_.end());
  process_ = std::make_unique<ChildProcess>("/usr/bin/redis-server", std::move(arguments));
  process_->WaitForLine("Ready to accept connections");
}

void RedisServer::Kill() {
  client_.reset();
  process_->Signal(SIGKILL);
  process_->WaitForExit();
}

std::string RedisServer::Ask(std::initializer_list<absl::string_view> command) {
  if (client_ == nullptr) {
    auto client = RedisConnection::Open(address_, {});
    EXPECT_TRUE(client.ok()) << client.status();
    if (!client.ok()) return "";
    client_ = *std::move(client);
  }
  const auto reply = client_->CallOne(command);
  EXPECT_TRUE(reply.ok()) << reply.status();
  if (!reply.ok()) return "";
  return reply->kind == RedisReply::Kind::kInteger ? absl::StrCat(reply->integer) : reply->text;
}

}  // namespace rondo
