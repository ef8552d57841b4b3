#include "server/session/lease_end.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>
#include <vector>

#include "server/metrics/metrics.h"
#include "server/session/live_session.h"
#include "server/session/session_value.h"
#include "server/store/recorded_model.h"

namespace rondo {
namespace {

// Writes over the memory of the last reply. A session that once had a long reply gives the rest of it back.
void KeepReply(absl::Span<const float> reply, std::vector<float>* kept) {
  constexpr size_t kKeptFloats = 256;
  if (kept->capacity() > kKeptFloats && reply.size() < kept->capacity() / 4) std::vector<float>().swap(*kept);
  if (kept->capacity() < reply.size()) {
    std::vector<float>().swap(*kept);
    kept->reserve(reply.size());
  }
  kept->assign(reply.begin(), reply.end());
}

// Leaves the session to *next, which is the session's former model afterwards.
void ChangeModel(SessionEvent event, ServedModelPtr* next, LiveSession* session) {
  (*next)->metrics->sessions.events[event].Add();
  if (!session->provisional) {
    (*next)->metrics->sessions.live.Add(1);
    session->model->metrics->sessions.live.Add(-1);
  }
  std::swap(session->model, *next);
}

int64_t Advance(int64_t position, int64_t timesteps) {
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  return timesteps > kLast - position ? kLast : position + timesteps;
}

SessionProgress ProgressAfter(const SessionProgress& before, const Committed& commit) {
  const CommittedSequence& sequence = *commit.sequence;
  const bool anew = std::holds_alternative<FreshStart>(commit.change);
  return {Advance(anew ? 0 : before.position, sequence.timesteps), sequence.timesteps, sequence.fingerprint,
          sequence.last_time || anew ? sequence.last_time : before.last_time};
}

}  // namespace

void WriteReplyAndState(Committed* commit, LiveSession* session) {
  KeepReply(commit->sequence->reply, &session->last_reply);
  if (auto* const fresh = std::get_if<FreshStart>(&commit->change)) {
    std::swap(session->state, fresh->state);
  } else if (commit->next_state.get() != nullptr) {
    std::swap(session->state, commit->next_state);
  }
}

void MoveOn(Committed* commit, LiveSession* session) {
  if (auto* const fresh = std::get_if<FreshStart>(&commit->change)) {
    ChangeModel(SessionEvent::kRestarted, &fresh->model, session);
    session->serial = NextSerial();  // to others it is a new one
  } else if (auto* const adoption = std::get_if<Adoption>(&commit->change)) {
    ChangeModel(SessionEvent::kAdopted, &adoption->model, session);
  }
  static_cast<SessionProgress&>(*session) = ProgressAfter(*session, *commit);
  session->stored.went_back.store(false, std::memory_order_relaxed);  // the lock orders it
  if (std::exchange(session->provisional, false)) {
    session->model->metrics->sessions.Began(SessionEvent::kCreated);
  }
}

SessionView ViewAfter(const LiveSession& session, const Committed& commit) {
  SessionView view = ViewOf(session);
  if (const auto* const fresh = std::get_if<FreshStart>(&commit.change)) {
    const Model& model = *fresh->model->model;
    view.model = RecordedModelOf(model);
    view.state = {fresh->state.get(), static_cast<size_t>(model.spec().state_size())};
  } else if (commit.next_state.get() != nullptr) {
    view.state = {commit.next_state.get(), view.state.size()};
  }
  if (const auto* const adoption = std::get_if<Adoption>(&commit.change))
    view.model = RecordedModelOf(*adoption->model->model);
  static_cast<SessionProgress&>(view) = ProgressAfter(session, commit);
  view.last_reply = commit.sequence->reply;
  view.last_used_ns = std::max(view.last_used_ns, absl::ToUnixNanos(commit.now));
  return view;
}

}  // namespace rondo
