#include "server/store/redis_sentinel.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

absl::StatusOr<RedisHost> AskSentinel(const RedisAddress& sentinel, const std::string& primary_name,
                                      const RedisConnection::Limits& limits) {
  const absl::StatusOr<std::unique_ptr<RedisConnection>> connection = RedisConnection::Open(sentinel, limits);
  if (!connection.ok()) return connection.status();
  const absl::StatusOr<RedisReply> reply =
      (*connection)->CallOne({"SENTINEL", "get-master-addr-by-name", primary_name});
  if (!reply.ok()) return reply.status();
  RedisHost primary;
  if (reply->kind == RedisReply::Kind::kTexts && reply->texts.size() == 2 && !reply->texts[0].empty() &&
      absl::SimpleAtoi(reply->texts[1], &primary.port) && primary.port > 0 && primary.port <= 65535) {
    primary.host = reply->texts[0];
    return primary;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the sentinel ", sentinel.host, ":", sentinel.port, " knows no primary '", primary_name, "'"));
}

}  // namespace

absl::StatusOr<RedisAddress> FindPrimary(const RedisAddress& address, const RedisConnection::Limits& limits,
                                         absl::FunctionRef<void()> before_each) {
  if (address.sentinels.empty()) return address;
  absl::Status last;
  for (const RedisHost& each : address.sentinels) {
    before_each();
    RedisAddress sentinel;
    sentinel.host = each.host;
    sentinel.port = each.port;
    sentinel.password_file = address.sentinel_password_file;
    sentinel.tls = address.tls;
    sentinel.ca_file = address.ca_file;
    const absl::StatusOr<RedisHost> found = AskSentinel(sentinel, address.primary_name, limits);
    if (found.ok()) {
      RedisAddress primary = address;
      primary.sentinels.clear();
      primary.host = found->host;
      primary.port = found->port;
      return primary;
    }
    // A sentinel that is away says less than one that answers.
    if (last.ok() || !absl::IsUnavailable(found.status())) last = found.status();
  }
  return absl::Status(last.code(), absl::StrCat("no sentinel says where the primary is: ", last.message()));
}

}  // namespace rondo
