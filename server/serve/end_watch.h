#ifndef RONDO_SERVER_SERVE_END_WATCH_H_
#define RONDO_SERVER_SERVE_END_WATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "server/session/ended_sessions.h"

namespace rondo {

// Tells the streams of one loop that want to know which of their sessions have ended.
//
// Ownership: borrows the streams, which take themselves out before they go.
// Threads:   the loop's own.
class EndWatch {
 public:
  class Stream {
   public:
    // `name`: as SessionName. The stream stays until Look has returned.
    virtual void OnSessionEnded(absl::string_view name, const SessionEnd& end) = 0;

   protected:
    ~Stream() = default;
  };

  // Tells `stream` of the end of the session of this name, from now on. `ended`: of the table, as in Look.
  void Watch(absl::string_view name, Stream* stream, const EndedSessions& ended);
  // Tells `stream` no more of that session.
  void Forget(absl::string_view name, Stream* stream);
  // Tells what has ended since the last look. To be called about once a second; free while nobody watches.
  void Look(const EndedSessions& ended);

 private:
  absl::flat_hash_map<std::string, std::vector<Stream*>> streams_;  // by the session's name
  uint64_t seen_ = 0;                                               // of the ends
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_END_WATCH_H_
