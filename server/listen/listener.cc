#include "server/listen/listener.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "base/thread_name.h"
#include "server/listen/peer_name.h"

namespace rondo {
namespace {

constexpr int kTurnMilliseconds = 1000;
// A recount takes about a third of a microsecond a connection, so it costs less than a hundredth of a core.
constexpr absl::Duration kRecountInterval = absl::Seconds(1);
constexpr absl::Duration kRecountIntervalPerConnection = absl::Microseconds(100);
constexpr absl::Duration kMostTimeBroken = absl::Seconds(10);
constexpr int kMostLooksWithoutATurn = 30;
constexpr int kMostAcceptedATurn = 64;  // of one socket, so that none waits for another's flood

// Since some moment, and whatever happens to the wall clock.
absl::Time MonotonicNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// 0: not a socket.
uint64_t InodeOf(int descriptor) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

bool IsOpen(int descriptor, uint64_t inode) { return InodeOf(descriptor) == inode; }

int OpenSpare() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(const Options& options, Metrics* metrics) {
  absl::StatusOr<ListeningSockets> sockets =
      ListeningSockets::Open(options.address, options.user_timeout, options.unix_socket_access);
  if (!sockets.ok()) return sockets.status();
  return std::unique_ptr<Listener>(new Listener(options, *std::move(sockets), metrics));
}

Listener::Listener(const Options& options, ListeningSockets sockets, Metrics* metrics)
    : options_(options),
      port_(sockets.port()),
      metrics_(metrics),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      sockets_(std::move(sockets)),
      places_(options.max_connections, options.on_closed),
      spare_(OpenSpare()) {
  metrics_->connections()->max.Set(static_cast<int64_t>(options.max_connections));
}

Listener::~Listener() {
  Stop();
  close(wake_);
  if (spare_ >= 0) close(spare_);
}

void Listener::Start(HandOn hand_on) {
  hand_on_ = std::move(hand_on);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  eventfd_write(wake_, 1);
  thread_.join();
}

bool Listener::IsWell() {
  const uint64_t turns = turns_;
  looks_without_a_turn_ = turns == turns_seen_ ? looks_without_a_turn_ + 1 : 0;
  turns_seen_ = turns;
  return !broken_ && looks_without_a_turn_ < kMostLooksWithoutATurn;
}

void Listener::Run() {
  NameThisThread("rondo-accept");
  while (!stopping_) {
    Turn();
    ++turns_;
    if (const absl::Time now = MonotonicNow(); now >= next_recount_) {
      places_.Recount(now, IsOpen);
      next_recount_ = now + kRecountInterval + static_cast<int64_t>(places_.taken()) * kRecountIntervalPerConnection;
    }
    metrics_->connections()->open.Set(static_cast<int64_t>(places_.taken()));
  }
  const ListeningSockets closed = std::move(sockets_);
}

void Listener::Turn() {
  std::vector<pollfd> ready = {{wake_, POLLIN, 0}};
  for (const int descriptor : sockets_.descriptors()) ready.push_back({descriptor, POLLIN, 0});
  if (poll(ready.data(), ready.size(), kTurnMilliseconds) < 0) absl::SleepFor(absl::Milliseconds(10));
  if (stopping_) return;
  for (size_t i = 1; i < ready.size(); ++i) {
    if (ready[i].revents != 0) AcceptAllOf(ready[i].fd);
  }
  if (broken_since_ != absl::InfiniteFuture()) OpenAgain();
}

void Listener::AcceptAllOf(int listening_socket) {
  for (int i = 0; i < kMostAcceptedATurn; ++i) {
    const int connection = accept4(listening_socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      Welcome(listening_socket, connection);
      continue;
    }
    switch (errno) {
      case EAGAIN:
        return;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        TurnOneAway(listening_socket);
        break;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
        broken_since_ = std::min(broken_since_, MonotonicNow());
        return;
      default:  // of one connection that has gone meanwhile
        break;
    }
  }
}

void Listener::Welcome(int listening_socket, int connection) {
  if (!places_.Admit(connection, InodeOf(connection), MonotonicNow(), IsOpen).ok()) {
    CountRefused();  // first, so that who sees the connection closed sees that counted
    close(connection);
    return;
  }
  metrics_->connections()->accepted.Add();
  if (options_.on_opened != nullptr) options_.on_opened(connection, PeerOf(connection));
  hand_on_(listening_socket, connection);
}

void Listener::TurnOneAway(int listening_socket) {
  if (spare_ >= 0) close(spare_);
  const int connection = accept4(listening_socket, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection >= 0) {
    CountRefused();
    close(connection);
  }
  spare_ = OpenSpare();
  // Another thread may have taken the spare one's place; connections then wait a little.
  if (connection < 0 || spare_ < 0) absl::SleepFor(absl::Milliseconds(10));
}

void Listener::CountRefused() {
  metrics_->requests()->rejected[Why::kConnectionsFull].Add();
  int64_t skipped = 0;
  if (!ShouldLogRefusal(LabelOf(Why::kConnectionsFull), &skipped)) return;
  LogEvent(LogLevel::kWarning, "connection_refused",
           {{"reason", std::string(LabelOf(Why::kConnectionsFull))},
            {"open", absl::StrCat(places_.taken())},
            {"max_connections", absl::StrCat(places_.max_connections())},
            {"skipped", absl::StrCat(skipped)}});
}

void Listener::OpenAgain() {
  std::string address = options_.address;
  if (port_ != 0) address = absl::StrCat(address.substr(0, address.rfind(':')), ":", port_);
  { const ListeningSockets closed = std::move(sockets_); }
  absl::StatusOr<ListeningSockets> sockets =
      ListeningSockets::Open(address, options_.user_timeout, options_.unix_socket_access);
  if (sockets.ok()) {
    sockets_ = *std::move(sockets);
    broken_since_ = absl::InfiniteFuture();
    broken_ = false;
    LogEvent(LogLevel::kWarning, "listening_again", {{"address", address}});
    return;
  }
  LogTrouble("not_listening", sockets.status().message());
  if (MonotonicNow() - broken_since_ >= kMostTimeBroken) broken_ = true;
}

}  // namespace rondo
