#ifndef RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
#define RONDO_SERVER_SERVE_MOVED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace rondo {

// The sessions that a stream moved, and where each stands: the first kMaxSessions of them, if not all are wanted. One
// thread.
class MovedSessions {
 public:
  static constexpr size_t kMaxSessions = 4096;  // half a megabyte with ids of usual length

  // All are kept from now on, whatever their number, and `on_new` is called for each that is kept from now on; null:
  // nobody wants to know.
  void KeepAll(std::function<void(absl::string_view id)> on_new) {
    max_sessions_ = std::numeric_limits<size_t>::max();
    on_new_ = std::move(on_new);
  }
  // Whether the session is one of them, and not forgotten.
  bool Has(absl::string_view id) const {
    const auto found = places_.find(id);
    return found != places_.end() && sessions_[found->second].position != kEnded;
  }

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

  // visit(id) for each that was ever kept, forgotten or not.
  template <typename Visit>
  void ForEachKept(const Visit& visit) const {
    for (const Session& session : sessions_) visit(session.id);
  }
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

  size_t max_sessions_ = kMaxSessions;
  std::function<void(absl::string_view id)> on_new_;
  std::vector<Session> sessions_;
  absl::flat_hash_map<std::string, size_t> places_;  // in sessions_
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
