#ifndef RONDO_SERVER_STORE_REDIS_ADDRESS_H_
#define RONDO_SERVER_STORE_REDIS_ADDRESS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

struct RedisHost {
  std::string host;
  int port = 0;
};

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
  int replicas = 0;     // how many must have what was written before it counts as written

  // Instead of host and port: Redis Sentinels, who say where the primary of this name is.
  std::vector<RedisHost> sentinels;
  std::string primary_name;
  std::string sentinel_password_file;  // as password_file; empty: the sentinels want none

  // Gives "redis://HOST:PORT/DB" or "redis+sentinel://HOST:PORT,.../NAME/DB", with "rediss" for TLS, without user and
  // password, for messages.
  std::string Shown() const;
};

// Parses "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]": an IPv6 host is in brackets; %XX in user and password are bytes.
// "rediss://" is with TLS. "redis+sentinel://[...@]HOST[:PORT][,HOST[:PORT]...]/NAME[/DB]" has the hosts of sentinels.
// "?password_file=FILE&replicas=N" may follow, with TLS "ca=FILE" too, with sentinels "sentinel_password_file=FILE";
// with a file for the password, or with `password`, which is the password if the text has none, a USER may stand alone.
// INVALID_ARGUMENT: the text is not of that form; the message does not repeat it, as it may hold a password.
absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text, absl::string_view password = {});

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_ADDRESS_H_
