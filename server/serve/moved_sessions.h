#ifndef RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
#define RONDO_SERVER_SERVE_MOVED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace rondo {

// The sessions that a stream moved, and where each stands: the first kMaxSessions of them. One thread.
class MovedSessions {
 public:
  static constexpr size_t kMaxSessions = 4096;  // half a megabyte with ids of usual length

  // `place`: of the sequence in its message. Most streams bring the same sessions in the same order each time, and then
  // this is one comparison.
  void Note(size_t place, absl::string_view id, int64_t position) {
    if (place < sessions_.size() && sessions_[place].id == id) {
      sessions_[place].position = position;
    } else {
      NoteElsewhere(id, position);
    }
  }
  // The session is no more.
  void Forget(size_t place, absl::string_view id) { Note(place, id, kEnded); }

  // visit(id, position), each once.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const Session& session : sessions_) {
      if (session.position != kEnded) visit(session.id, session.position);
    }
  }

 private:
  static constexpr int64_t kEnded = -1;

  struct Session {
    std::string id;
    int64_t position;
  };

  void NoteElsewhere(absl::string_view id, int64_t position);

  std::vector<Session> sessions_;
  absl::flat_hash_map<std::string, size_t> places_;  // in sessions_
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
