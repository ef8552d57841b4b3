#include "server/serve/stream_sessions_end.h"

namespace rondo {

StreamSessionsEnd::Progress StreamSessionsEnd::GoOn(absl::string_view tenant, absl::Time now) {
  constexpr size_t kMostATurn = 256;
  for (size_t ended = 0; next_ < sessions_.size(); ++ended, ++next_) {
    if (ended == kMostATurn) return Progress::kMore;
    const auto& [id, position, serial] = sessions_[next_];
    if (waiting_) {
      waiting_ = false;
      wait_.TakeLease().IgnoreError();  // the lease ends with the answer
    } else {
      const absl::StatusOr<bool> here = wait_.Restore(tenant, id, now);
      waiting_ = here.ok() && !*here;
      if (waiting_) return Progress::kWaits;
    }
    context_->sessions->EndWithStream(SessionName(tenant, id), position, serial);
  }
  return Progress::kDone;
}

}  // namespace rondo
