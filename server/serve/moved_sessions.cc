#include "server/serve/moved_sessions.h"

namespace rondo {

void MovedSessions::NoteElsewhere(absl::string_view id, int64_t position) {
  const auto found = places_.find(id);
  if (found != places_.end()) {
    sessions_[found->second].position = position;
  } else if (position != kEnded && sessions_.size() < max_sessions_) {
    places_.emplace(id, sessions_.size());
    sessions_.push_back({std::string(id), position});
    if (on_new_ != nullptr) on_new_(id);
  }
}

}  // namespace rondo
