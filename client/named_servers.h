#ifndef RONDO_CLIENT_NAMED_SERVERS_H_
#define RONDO_CLIENT_NAMED_SERVERS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/server_address.h"

namespace rondo {

// The IP addresses that the system's resolver knows of a host, of the families that this machine has; empty: none.
std::vector<std::string> LookUpHost(const std::string& host);

// The servers that a DNS name stands for. The name is looked up when it is first asked for, and again when it is asked
// for and the last look is too old. A look that finds nothing changes nothing.
//
// Threads: any. A look-up runs on a thread of its own that nobody waits for at the end, as a resolver may hang.
class NamedServers {
 public:
  using LookUp = std::function<std::vector<std::string>(const std::string& host)>;  // as LookUpHost
  using Addresses = std::shared_ptr<const std::vector<std::string>>;

  static constexpr absl::Duration kMaxAge = absl::Seconds(5);
  static constexpr absl::Duration kMinAge = absl::Seconds(1);  // after a connection has ended

  // `now` says how old a look is.
  NamedServers(ServerName name, LookUp look_up, std::function<absl::Time()> now = absl::Now);

  // The servers' addresses IP:PORT, sorted, as one object until they change; empty: there is one server at most. Waits
  // for the first look-up to end, or until `deadline`.
  Addresses Current(absl::Time deadline);
  // The servers may be others now.
  void ConnectionEnded();

 private:
  struct Found;  // shared with the thread that looks the name up

  const std::shared_ptr<Found> found_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_NAMED_SERVERS_H_
