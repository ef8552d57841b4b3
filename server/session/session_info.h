#ifndef RONDO_SERVER_SESSION_SESSION_INFO_H_
#define RONDO_SERVER_SESSION_SESSION_INFO_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace rondo {

struct LiveSession;

// Tells whether sessions of one name with these serials may be one, rather than another that was made since the first
// has ended. 0: the serial is not known, and may be any.
inline bool MayBeOne(uint32_t serial, uint32_t other) { return serial == other || serial == 0 || other == 0; }

// What there is to know of a session from outside.
struct SessionInfo {
  std::string id;
  std::string model;
  int64_t version = 0;
  int64_t position = 0;
  uint32_t serial = 0;          // see LiveSession
  absl::Duration idle_timeout;  // InfiniteDuration: the session never ends for idleness
  absl::Duration idle;          // since its last request
  absl::Duration ends_in;       // at the latest, used or not; InfiniteDuration: no such end is set
};

// REQUIRES: the lock of the session's shard, or that the session is nobody else's yet.
SessionInfo InfoOf(const LiveSession& session, absl::Time now);

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_INFO_H_
