#ifndef RONDO_SERVER_ACCESS_CONNECTION_LIMITS_H_
#define RONDO_SERVER_ACCESS_CONNECTION_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace rondo {

// What one connection to gRPC may be and do.
struct ConnectionLimits {
  size_t max_calls = 1000;                         // at once; the client's library lets further ones wait
  size_t max_buffer_bytes = 0;                     // what gRPC may hold for all connections; 0: see ServerOptions
  absl::Duration max_age = absl::ZeroDuration();   // then new calls need a new connection; zero: any age
  absl::Duration max_idle = absl::ZeroDuration();  // without calls; zero: for ever
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_CONNECTION_LIMITS_H_
