#include "tests/integration/tcp_relay.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace rondo {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int NewSocket() { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

// A port of the kernel's choice.
int Listen(uint16_t* port) {
  const int listener = NewSocket();
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(listen(listener, 4), 0);
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  *port = ntohs(address.sin_port);
  return listener;
}

int Connect(const std::string& server) {
  const int connection = NewSocket();
  const sockaddr_in address = Loopback(static_cast<uint16_t>(std::stoi(server.substr(server.rfind(':') + 1))));
  EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  const int on = 1;  // bytes go on as they come
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return connection;
}

bool SendAll(int to, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t sent = send(to, bytes, count, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= static_cast<size_t>(sent);
  }
  return true;
}

void Close(int* socket, bool reset) {
  if (*socket < 0) return;
  const linger now{1, 0};
  if (reset) setsockopt(*socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(*socket);
  *socket = -1;
}

}  // namespace

TcpRelay::TcpRelay(const std::string& server) : server_(server) {
  uint16_t port = 0;
  listener_ = Listen(&port);
  wake_ = eventfd(0, EFD_CLOEXEC);
  address_ = "127.0.0.1:" + std::to_string(port);
  thread_ = std::thread([this] { Run(); });
}

TcpRelay::~TcpRelay() {
  EndAfter(0, ConnectionEnd::kClose);
  thread_.join();
  close(wake_);
}

size_t TcpRelay::bytes_to_server() const {
  MutexLock lock(&mutex_);
  return bytes_to_server_;
}

bool TcpRelay::WaitForBytesToServer(size_t total) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (bytes_to_server() < total) {
    if (absl::Now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

void TcpRelay::EndAfter(size_t bytes, ConnectionEnd end) {
  {
    MutexLock lock(&mutex_);
    if (end_at_ && *end_at_ <= bytes_to_server_) return;  // it ends already, in the way told first
    end_at_ = bytes_to_server_ + bytes;
    end_ = end;
  }
  Wake();
}

void TcpRelay::FallSilent() {
  {
    MutexLock lock(&mutex_);
    silent_ = true;
  }
  Wake();
}

bool TcpRelay::silent() const {
  MutexLock lock(&mutex_);
  return silent_;
}

void TcpRelay::Wake() {
  const uint64_t one = 1;
  EXPECT_EQ(write(wake_, &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
}

void TcpRelay::WaitUntilEnded() const {
  MutexLock lock(&mutex_);
  while (!ended_) changed_.Wait(&mutex_);
}

std::optional<size_t> TcpRelay::Allowance() const {
  MutexLock lock(&mutex_);
  if (!end_at_) return std::numeric_limits<size_t>::max();
  if (*end_at_ <= bytes_to_server_) return std::nullopt;
  return *end_at_ - bytes_to_server_;
}

void TcpRelay::Run() {
  while (const std::optional<size_t> allowance = Allowance()) {
    // poll() leaves out what is negative: there is a client, or somebody to wait for.
    std::array<pollfd, 4> ready{pollfd{wake_, POLLIN, 0}, pollfd{listener_, POLLIN, 0}, pollfd{client_side_, POLLIN, 0},
                                pollfd{server_side_, POLLIN, 0}};
    poll(ready.data(), silent() ? 1 : ready.size(), -1);
    if (ready[0].revents != 0) {
      uint64_t count = 0;
      EXPECT_EQ(read(wake_, &count, sizeof(count)), static_cast<ssize_t>(sizeof(count)));
      continue;
    }
    if (ready[1].revents != 0) {
      client_side_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      server_side_ = Connect(server_);
      Close(&listener_, false);
      continue;
    }
    size_t forwarded = 0;
    if (ready[2].revents != 0 && !Forward(client_side_, server_side_, *allowance, &forwarded)) break;
    {
      MutexLock lock(&mutex_);
      bytes_to_server_ += forwarded;
    }
    if (ready[3].revents != 0 && !Forward(server_side_, client_side_, std::numeric_limits<size_t>::max(), &forwarded)) {
      break;
    }
  }
  CloseAll();
}

bool TcpRelay::Forward(int from, int to, size_t max_bytes, size_t* forwarded) {
  std::array<char, 16 << 10> bytes;
  const ssize_t received = recv(from, bytes.data(), std::min(bytes.size(), max_bytes), 0);
  if (received <= 0 || !SendAll(to, bytes.data(), static_cast<size_t>(received))) return false;
  *forwarded = static_cast<size_t>(received);
  return true;
}

void TcpRelay::CloseAll() {
  MutexLock lock(&mutex_);
  const bool reset = end_at_.has_value() && end_ == ConnectionEnd::kReset;
  Close(&listener_, false);
  Close(&server_side_, reset);
  Close(&client_side_, reset);
  ended_ = true;
  changed_.SignalAll();
}

}  // namespace rondo
