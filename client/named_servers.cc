#include "client/named_servers.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "base/mutex.h"

namespace rondo {

std::vector<std::string> LookUpHost(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;  // of a family that this machine has
  addrinfo* first = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &wanted, &first) != 0) return {};
  std::vector<std::string> addresses;
  for (const addrinfo* each = first; each != nullptr; each = each->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(first);
  return addresses;
}

struct NamedServers::Found {
  Found(ServerName its_name, LookUp its_look_up, std::function<absl::Time()> its_now)
      : name(std::move(its_name)), look_up(std::move(its_look_up)), now(std::move(its_now)) {}

  // Takes what a look-up has found.
  void Take(const std::vector<std::string>& ip_addresses) {
    const MutexLock lock(&mutex);
    looking = false;
    looked = true;
    looked_at = now();
    look_again_at = looked_at + kMaxAge;
    std::vector<std::string> found = ServersAt(ip_addresses, name.port);
    if (!ip_addresses.empty() && found != *addresses) {
      addresses = std::make_shared<const std::vector<std::string>>(std::move(found));
    }
    has_looked.SignalAll();
  }

  const ServerName name;
  const LookUp look_up;
  const std::function<absl::Time()> now;
  Mutex mutex;
  CondVar has_looked;
  bool looking ABSL_GUARDED_BY(mutex) = false;
  bool looked ABSL_GUARDED_BY(mutex) = false;
  absl::Time looked_at ABSL_GUARDED_BY(mutex) = absl::InfinitePast();
  absl::Time look_again_at ABSL_GUARDED_BY(mutex) = absl::InfinitePast();
  Addresses addresses ABSL_GUARDED_BY(mutex) = std::make_shared<const std::vector<std::string>>();
};

NamedServers::NamedServers(ServerName name, LookUp look_up, std::function<absl::Time()> now)
    : found_(std::make_shared<Found>(std::move(name), std::move(look_up), std::move(now))) {}

NamedServers::Addresses NamedServers::Current(absl::Time deadline) {
  const MutexLock lock(&found_->mutex);
  const absl::Time now = found_->now();
  const bool is_old = now >= found_->look_again_at || now < found_->looked_at;  // or the clock was set back
  if (!found_->looking && is_old) {
    found_->looking = true;
    try {
      std::thread([found = found_] { found->Take(found->look_up(found->name.host)); }).detach();
    } catch (const std::system_error&) {  // no more threads: the next call tries again
      found_->looking = false;
      return found_->addresses;
    }
  }
  while (!found_->looked) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    found_->has_looked.WaitFor(&found_->mutex, left);
  }
  return found_->addresses;
}

void NamedServers::ConnectionEnded() {
  const MutexLock lock(&found_->mutex);
  found_->look_again_at = std::min(found_->look_again_at, found_->looked_at + kMinAge);
}

}  // namespace rondo
