#include "server/loop/active_set.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status ActiveSet::Admit(SequenceRun* run) {
  run->next_step = 0;
  if (active_ < options_.max_active) {
    Activate(run);
    return absl::OkStatus();
  }
  if (backlog_.size() >= options_.max_queued) {
    return Refuse(Why::kQueueFull,
                  absl::StrCat("the queue is full: ", active_, " sequences run and ", backlog_.size(), " wait"));
  }
  backlog_.Push(run);
  return absl::OkStatus();
}

const Network* ActiveSet::next_network() const { return lanes_.empty() ? nullptr : lanes_.front().network; }

void ActiveSet::TakeBatch(absl::Time now, size_t max_rows, std::vector<SequenceRun*>* batch,
                          std::vector<SequenceRun*>* dropped) {
  batch->clear();
  dropped->clear();
  if (lanes_.empty()) return;
  IntrusiveFifo<SequenceRun>& runs = lanes_.front().runs;
  while (!runs.empty() && batch->size() < max_rows) {
    SequenceRun* run = runs.Pop();
    (run->cancelled || run->deadline <= now ? dropped : batch)->push_back(run);
  }
  if (runs.empty()) {
    lanes_.erase(lanes_.begin());
  } else {
    std::rotate(lanes_.begin(), lanes_.begin() + 1, lanes_.end());
  }
}

void ActiveSet::Return(SequenceRun* run) { LaneOf(run->network).runs.Push(run); }

void ActiveSet::Leave() {
  --active_;
  if (SequenceRun* const first = backlog_.Pop()) Activate(first);
}

void ActiveSet::Activate(SequenceRun* run) {
  ++active_;
  LaneOf(run->network).runs.Push(run);
}

ActiveSet::Lane& ActiveSet::LaneOf(const Network* network) {
  for (Lane& lane : lanes_) {
    if (lane.network == network) return lane;
  }
  lanes_.push_back(Lane{network, {}});
  return lanes_.back();
}

}  // namespace rondo
