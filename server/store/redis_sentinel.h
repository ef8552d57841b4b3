#ifndef RONDO_SERVER_STORE_REDIS_SENTINEL_H_
#define RONDO_SERVER_STORE_REDIS_SENTINEL_H_

#include "absl/status/statusor.h"
#include "server/store/redis_address.h"
#include "server/store/redis_connection.h"

namespace rondo {

// Gives the address of the Redis that is the primary now, as the first sentinel of `address` that answers says; without
// sentinels that is `address` itself. What a sentinel says may be out of date: the Redis must still be asked whether it
// takes writes. UNAVAILABLE: no sentinel answers. FAILED_PRECONDITION: those that do know no primary of this name.
// PERMISSION_DENIED: they want another password.
absl::StatusOr<RedisAddress> FindPrimary(const RedisAddress& address, const RedisConnection::Limits& limits);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_SENTINEL_H_
