#ifndef RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
#define RONDO_SERVER_SERVE_MOVED_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/serve/memory_budget.h"
#include "server/session/session_info.h"

namespace rondo {

// The live sessions that a stream moved, and where each stands: the first kMaxSessions of them, if not all are wanted.
// The place of one that has ended is free for another. One thread.
class MovedSessions {
 public:
  static constexpr size_t kMaxSessions = 4096;    // half a megabyte with ids of usual length
  static constexpr size_t kMaxKept = 65'536;      // where all are wanted
  static constexpr size_t kBytesOfSession = 320;  // about, with its place in EndWatch

  // All are kept from now on, and CheckRoom says when that are too many. `on_change` hears of each that is kept from
  // now on, and of each that has ended, kept or not.
  void KeepAll(std::function<void(absl::string_view id, bool is_kept)> on_change) {
    keeps_all_ = true;
    on_change_ = std::move(on_change);
  }
  bool keeps_all() const { return keeps_all_; }
  // Whether one more session may be kept where all are. To be asked before a message runs: what it moves is kept in any
  // case. RESOURCE_EXHAUSTED: kMaxKept, or `memory` is used up by then.
  absl::Status CheckRoom(MemoryBudget* memory);

  // Where the session stands; absent: it is none of them.
  std::optional<int64_t> PositionOf(absl::string_view id) const {
    const auto found = places_.find(id);
    return found == places_.end() ? std::nullopt : std::make_optional(sessions_[found->second].position);
  }

  // Whether a live session of that name, position and serial is the one that the stream has moved last.
  bool IsAsLeft(absl::string_view id, int64_t position, uint32_t serial) const {
    const auto found = places_.find(id);
    if (found == places_.end()) return false;
    const Session& left = sessions_[found->second];
    return left.position == position && MayBeOne(left.serial, serial);
  }

  // `id` is not empty. `serial`: see LiveSession. `place`: of the sequence in its message. Most streams bring the same
  // sessions in the same order each time, and then this is one comparison.
  void Note(size_t place, absl::string_view id, int64_t position, uint32_t serial = 0) {
    if (place < sessions_.size() && sessions_[place].id == id) {
      sessions_[place].position = position;
      sessions_[place].serial = serial;
    } else {
      NoteElsewhere(id, position, serial);
    }
  }
  // The session is no more.
  void Forget(absl::string_view id);

  // visit(id, position, serial), each once, at most `most`.
  template <typename Visit>
  void ForEach(size_t most, const Visit& visit) const {
    for (size_t i = 0; i < sessions_.size() && most > 0; ++i) {
      if (sessions_[i].id.empty()) continue;
      visit(sessions_[i].id, sessions_[i].position, sessions_[i].serial);
      --most;
    }
  }
  // visit(id) in some of the places from *next on, at most `most`, and moves *next. True: there are more places.
  template <typename Visit>
  bool VisitSome(size_t* next, size_t most, const Visit& visit) const {
    const size_t stop = sessions_.size() - *next > most ? *next + most : sessions_.size();
    for (; *next < stop; ++*next) {
      if (!sessions_[*next].id.empty()) visit(sessions_[*next].id);
    }
    return stop < sessions_.size();
  }

 private:
  struct Session {
    std::string id;  // empty: the place is free
    int64_t position;
    uint32_t serial;
  };

  void NoteElsewhere(absl::string_view id, int64_t position, uint32_t serial);

  bool keeps_all_ = false;
  std::function<void(absl::string_view id, bool is_kept)> on_change_;  // may be null
  std::vector<Session> sessions_;
  std::vector<size_t> free_places_;                  // in sessions_
  absl::flat_hash_map<std::string, size_t> places_;  // in sessions_
  size_t uncharged_ = 0;                             // sessions for which no memory was taken from the budget yet
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MOVED_SESSIONS_H_
