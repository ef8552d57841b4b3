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
  std::string user;           // empty: Redis's default user
  std::string password;       // empty: none is sent, unless there is a file
  std::string password_file;  // read at each login: what is in it, without the line end, is the password
  bool tls = false;
  std::string ca_file;  // of TLS; empty: the CAs that the system trusts

  // Gives "redis://HOST:PORT/DB" or "rediss://...", without user and password, for messages.
  std::string Shown() const;
};

// Parses "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]": an IPv6 host is in brackets; %XX in user and password are bytes.
// "rediss://" is with TLS. "?password_file=FILE" and, with TLS, "?ca=FILE" may follow, "&" between the two; with a file
// for the password, or with `password`, which is the password if the text has none, a USER may stand alone.
// INVALID_ARGUMENT: the text is not of that form; the message does not repeat it, as it may hold a password.
absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text, absl::string_view password = {});

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_ADDRESS_H_
