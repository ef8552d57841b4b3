#include "server/loop/active_set.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

bool EndsSoon(const SequenceRun& run) {
  return run.timesteps - run.next_step + run.timesteps_after <= ActiveSet::kSoonTimesteps;
}

// The rows that each of `takers` has in turns of one row, as long as all of them have a turn.
size_t ShareOf(size_t rows, size_t takers) { return std::max<size_t>(1, rows / takers); }

}  // namespace

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
  ++waiting_;
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

void ActiveSet::TakeFrom(IntrusiveFifo<ClientLine>* lines, Lane* lane, size_t max_rows, const Taking& taking) {
  const std::vector<SequenceRun*>& batch = *taking.batch;
  while (!lines->empty() && batch.size() < max_rows) {
    const size_t clients = lines->size(), share = ShareOf(max_rows - batch.size(), clients);
    for (size_t i = 0; i < clients && batch.size() < max_rows; ++i) {
      ClientLine* const line = lines->Pop();  // it counts as in line until its turn is over
      TakeFrom(line, lane, std::min(batch.size() + share, max_rows), taking);
      line->in_line = false;
      if (!line->strands.empty()) StandInLine(line, lines);
    }
  }
}

void ActiveSet::TakeFrom(ClientLine* line, Lane* lane, size_t max_rows, const Taking& taking) {
  const std::vector<SequenceRun*>& batch = *taking.batch;
  while (!line->strands.empty() && batch.size() < max_rows) {
    const size_t strands = line->strands.size(), share = ShareOf(max_rows - batch.size(), strands);
    for (size_t i = 0; i < strands && batch.size() < max_rows; ++i) {
      Strand* const strand = line->strands.Pop();
      strand->in_line = false;
      TakeFrom(strand, line == &strand->turns->soon, std::min(batch.size() + share, max_rows), taking);
      StandInLine(strand, lane);
    }
  }
}

void ActiveSet::TakeFrom(Strand* strand, bool ends_soon, size_t max_rows, const Taking& taking) {
  bool took_row = false;
  while (taking.batch->size() < max_rows) {
    const bool begins = strand->begun.empty();
    IntrusiveFifo<SequenceRun>& runs = begins ? strand->waiting : strand->begun;
    // Runs that are not run take no turn: what a stream leaves behind is gone at once.
    if (runs.empty() || (took_row && EndsSoon(*runs.front()) != ends_soon)) return;
    SequenceRun* const run = runs.Pop();
    if (begins) --waiting_;
    const bool runs_now = !run->cancelled && run->deadline > taking.now;
    (runs_now ? taking.batch : taking.dropped)->push_back(run);
    took_row = took_row || runs_now;
  }
}

void ActiveSet::StandInLine(Strand* strand, Lane* lane) {
  const SequenceRun* const next = strand->begun.empty() ? strand->waiting.front() : strand->begun.front();
  if (strand->in_line || next == nullptr) return;
  strand->in_line = true;
  const bool ends_soon = EndsSoon(*next);
  ClientLine* const line = ends_soon ? &strand->turns->soon : &strand->turns->bulk;
  line->strands.Push(strand);
  StandInLine(line, ends_soon ? &lane->soon : &lane->bulk);
}

void ActiveSet::StandInLine(ClientLine* line, IntrusiveFifo<ClientLine>* lines) {
  if (!std::exchange(line->in_line, true)) lines->Push(line);
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
  ClientTurns* const turns = strand->turns;
  strands_.GiveBack(strand);
  if (--turns->strands > 0) return;
  ClientTurns** of_client = &turns->client->turns_;
  while (*of_client != turns) of_client = &(*of_client)->next_of_client;
  *of_client = turns->next_of_client;
  turns_.GiveBack(turns);
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
  ClientTurns* const turns = TurnsOf(flow->client_ != nullptr ? flow->client_ : &nobody_, network);
  Strand* const strand = strands_.Take();
  ++turns->strands;
  strand->network = network;
  strand->flow = flow;
  strand->turns = turns;
  strand->next_of_flow = flow->strands_;
  flow->strands_ = strand;
  return strand;
}

ClientTurns* ActiveSet::TurnsOf(ClientFlows* client, const Network* network) {
  for (ClientTurns* turns = client->turns_; turns != nullptr; turns = turns->next_of_client) {
    if (turns->network == network) return turns;
  }
  ClientTurns* const turns = turns_.Take();
  turns->network = network;
  turns->client = client;
  turns->next_of_client = client->turns_;
  client->turns_ = turns;
  return turns;
}

}  // namespace rondo
