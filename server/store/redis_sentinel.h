#ifndef RONDO_SERVER_STORE_REDIS_SENTINEL_H_
#define RONDO_SERVER_STORE_REDIS_SENTINEL_H_

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/store/redis_address.h"
#include "server/store/redis_connection.h"

namespace rondo {

// Gives the address of the Redis that is the primary now, as the first sentinel of `address` that answers says; without
// sentinels that is `address` itself. What a sentinel says may be out of date: the Redis must still be asked whether it
// takes writes. `before_each`: called before each sentinel is asked, which takes the limits' time if that one is
// silent. UNAVAILABLE: no sentinel answers. FAILED_PRECONDITION: those that do know no primary of this name.
// PERMISSION_DENIED: they want another password.
absl::StatusOr<RedisAddress> FindPrimary(
    const RedisAddress& address, const RedisConnection::Limits& limits, absl::FunctionRef<void()> before_each = [] {});

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_SENTINEL_H_
