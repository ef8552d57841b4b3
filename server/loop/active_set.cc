#include "server/loop/active_set.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::Status ActiveSet::Admit(SequenceRun* run) {
  if (size_ >= capacity_) {
    return Refuse(Why::kQueueFull, absl::StrCat("the queue is full: ", size_, " sequences run or wait"));
  }
  Lane& lane = LaneOf(run->network);
  Strand* const strand = StrandOf(run->flow != nullptr ? run->flow : &unnamed_, run->network);
  run->next_step = 0;
  run->strand = strand;
  strand->waiting.Push(run);
  ++strand->runs;
  ++size_;
  StandInLine(strand, &lane);
  return absl::OkStatus();
}

const Network* ActiveSet::next_network() const { return lanes_.empty() ? nullptr : lanes_.front().network; }

void ActiveSet::TakeBatch(absl::Time now, size_t max_rows, std::vector<SequenceRun*>* batch,
                          std::vector<SequenceRun*>* dropped) {
  batch->clear();
  dropped->clear();
  if (lanes_.empty()) return;
  Lane& lane = lanes_.front();
  const Taking taking{now, batch, dropped};
  if (!lane.bulk.empty()) lane.owed += max_rows;
  TakeFrom(&lane.soon, &lane, max_rows - std::min(max_rows, lane.owed / kBulkShare), taking);
  const size_t soon_rows = batch->size();
  TakeFrom(&lane.bulk, &lane, max_rows, taking);
  lane.owed -= std::min(lane.owed, (batch->size() - soon_rows) * kBulkShare);
  TakeFrom(&lane.soon, &lane, max_rows, taking);
  if (lane.soon.empty() && lane.bulk.empty()) {
    lanes_.erase(lanes_.begin());
  } else {
    std::rotate(lanes_.begin(), lanes_.begin() + 1, lanes_.end());
  }
}

void ActiveSet::TakeFrom(IntrusiveFifo<Strand>* line, Lane* lane, size_t max_rows, const Taking& taking) {
  while (!line->empty() && taking.batch->size() < max_rows) {
    Strand* const strand = line->Pop();
    strand->in_line = false;
    // Runs that are not run take no turn: what a stream leaves behind is gone at once.
    bool took_row = false;
    while (!took_row) {
      SequenceRun* const run = strand->begun.empty() ? strand->waiting.Pop() : strand->begun.Pop();
      if (run == nullptr) break;
      took_row = !run->cancelled && run->deadline > taking.now;
      (took_row ? taking.batch : taking.dropped)->push_back(run);
    }
    StandInLine(strand, lane);
  }
}

void ActiveSet::StandInLine(Strand* strand, Lane* lane) {
  const SequenceRun* const next = strand->begun.empty() ? strand->waiting.front() : strand->begun.front();
  if (strand->in_line || next == nullptr) return;
  strand->in_line = true;
  (next->timesteps - next->next_step <= kSoonTimesteps ? lane->soon : lane->bulk).Push(strand);
}

void ActiveSet::Return(SequenceRun* run) {
  run->strand->begun.Push(run);
  StandInLine(run->strand, &LaneOf(run->network));
}

void ActiveSet::Leave(SequenceRun* run) {
  --size_;
  Strand* const strand = run->strand;
  if (--strand->runs > 0) return;
  Strand** link = &strand->flow->strands_;
  while (*link != strand) link = &(*link)->next_of_flow;
  *link = strand->next_of_flow;
  unused_.Push(strand);
}

ActiveSet::Lane& ActiveSet::LaneOf(const Network* network) {
  for (Lane& lane : lanes_) {
    if (lane.network == network) return lane;
  }
  lanes_.push_back(Lane{network, {}, {}});
  return lanes_.back();
}

Strand* ActiveSet::StrandOf(Flow* flow, const Network* network) {
  for (Strand* strand = flow->strands_; strand != nullptr; strand = strand->next_of_flow) {
    if (strand->network == network) return strand;
  }
  if (unused_.empty()) {
    strands_.push_back(std::make_unique<Strand>());
    unused_.Push(strands_.back().get());
  }
  Strand* const strand = unused_.Pop();
  strand->network = network;
  strand->flow = flow;
  strand->next_of_flow = flow->strands_;
  flow->strands_ = strand;
  return strand;
}

}  // namespace rondo
