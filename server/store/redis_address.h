#ifndef RONDO_SERVER_STORE_REDIS_ADDRESS_H_
#define RONDO_SERVER_STORE_REDIS_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Where a Redis is, and who asks.
struct RedisAddress {
  std::string host;
  int port = 6379;
  int database = 0;
  std::string user;      // empty: Redis's default user
  std::string password;  // empty: none is sent

  // Gives "redis://HOST:PORT/DB", without user and password, for messages.
  std::string Shown() const;
};

// Parses "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]": an IPv6 host is in brackets; %XX in user and password are bytes.
// INVALID_ARGUMENT: the text is not of that form; the message does not repeat it, as it may hold a password.
absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_ADDRESS_H_
