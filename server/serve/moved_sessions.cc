#include "server/serve/moved_sessions.h"

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status MovedSessions::CheckRoom(MemoryBudget* memory) {
  if (!keeps_all_) return absl::OkStatus();
  if (places_.size() >= kMaxKept) {
    return Refuse(Why::kSessionsFull,
                  absl::StrCat("the stream has moved ", places_.size(),
                               " live sessions, the most of one with end_with_stream or tell_ended; "
                               "wanted another stream for further ones"));
  }
  if (uncharged_ == 0) return absl::OkStatus();
  absl::Status taken = memory->Take(uncharged_ * kBytesOfSession);
  if (taken.ok()) uncharged_ = 0;
  return taken;
}

void MovedSessions::NoteElsewhere(absl::string_view id, int64_t position, uint32_t serial) {
  const auto found = places_.find(id);
  if (found != places_.end()) {
    sessions_[found->second].position = position;
    sessions_[found->second].serial = serial;
    return;
  }
  if (!keeps_all_ && places_.size() >= kMaxSessions) return;
  size_t place = sessions_.size();
  if (free_places_.empty()) {
    sessions_.push_back({std::string(id), position, serial});
    ++uncharged_;
  } else {
    place = free_places_.back();
    free_places_.pop_back();
    sessions_[place] = {std::string(id), position, serial};
  }
  places_.emplace(id, place);
  if (on_change_ != nullptr) on_change_(id, true);
}

void MovedSessions::Forget(absl::string_view id) {
  const auto found = places_.find(id);
  if (found != places_.end()) {
    sessions_[found->second].id.clear();
    free_places_.push_back(found->second);
    places_.erase(found);
  }
  if (on_change_ != nullptr) on_change_(id, false);
}

}  // namespace rondo
