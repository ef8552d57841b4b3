#ifndef RONDO_SERVER_SERVE_STREAM_SESSIONS_END_H_
#define RONDO_SERVER_SERVE_STREAM_SESSIONS_END_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/loop/event.h"
#include "server/serve/moved_sessions.h"
#include "server/serve/serve_context.h"
#include "server/serve/session_wait.h"

namespace rondo {

// Ends the sessions of a stream that is over, one after another, where its client wanted that. A session that somebody
// else has made or moved since, or uses now, lives on: a client that has lost its connection may have come back
// already.
//
// Threads: the loop's own.
class StreamSessionsEnd {
 public:
  enum class Progress {
    kDone,
    kMore,   // there are more: call GoOn again, in another turn
    kWaits,  // the event will come, then call GoOn again
  };

  // Borrows both.
  StreamSessionsEnd(const ServeContext* context, Event* event) : context_(context), wait_(context, event) {}

  void Begin(const MovedSessions& sessions) {
    sessions.ForEach(std::numeric_limits<size_t>::max(),
                     [this](absl::string_view id, int64_t position, uint32_t serial) {
                       sessions_.push_back({std::string(id), position, serial});
                     });
  }
  Progress GoOn(absl::string_view tenant, absl::Time now);

 private:
  // A session, as the stream has left it.
  struct Left {
    std::string id;
    int64_t position;
    uint32_t serial;
  };

  const ServeContext* const context_;
  SessionWait wait_;
  bool waiting_ = false;
  std::vector<Left> sessions_;
  size_t next_ = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_STREAM_SESSIONS_END_H_
