#include "server/session/session_backing.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/annotate.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

// The most ends that wait for a store that is away. Further ones are forgotten: such a session comes back as it was
// last saved.
constexpr size_t kMaxUnsavedEnds = 100'000;
constexpr absl::Duration kLongestEndedKept = absl::Hours(24 * 7);  // also of sessions that never end for idleness
constexpr absl::Duration kSlowestSave = absl::Minutes(1);
constexpr size_t kRetriesWhileAway = 64;  // of a tick, to find out whether the store is back

// A wall clock that has been set ends no session: what it says counts only where it lets the session live longer.
absl::Time ExpiryOf(const SessionFields& session, absl::Duration wall_ahead, absl::Duration ended_kept) {
  absl::Time end = absl::InfiniteFuture();
  if (session.idle_timeout_ns != SessionFields::kNever) {
    end = absl::FromUnixNanos(session.last_used_ns) + absl::Nanoseconds(session.idle_timeout_ns);
  }
  if (session.ends_at_ns != SessionFields::kNever) end = std::min(end, absl::FromUnixNanos(session.ends_at_ns));
  return end + std::max(wall_ahead, absl::ZeroDuration()) + ended_kept;
}

absl::Status WithId(absl::string_view id, const absl::Status& status) {
  return StoreRefusal(Annotate(status, absl::StrCat("session '", IdIn(id), "'")));
}

}  // namespace

bool StoreIsAway(const absl::Status& saved) {
  return !saved.ok() && !absl::IsAborted(saved) && !absl::IsDataLoss(saved);
}

SessionBacking::SessionBacking(SessionPersistence persistence) : persistence_(std::move(persistence)) {}

void SessionBacking::Start(std::function<void(absl::Time)> tick, std::function<void(const std::string& id)> on_wanted) {
  StoreThread::Options options;
  options.tick = std::move(tick);
  options.on_wanted = std::move(on_wanted);
  options.tick_interval = persistence_.sync_interval / 2;  // a change waits for one tick, and for its save
  thread_ =
      std::make_unique<StoreThread>(std::move(persistence_.store), persistence_.metrics->store(), std::move(options));
}

void SessionBacking::Load(absl::string_view id, bool creates, std::function<void(Found)> done) {
  std::string key(id);
  auto loaded = [this, key, done = std::move(done)](const StoreThread::Loaded& answer) {
    done(Interpret(key, answer));
  };
  const absl::Duration until_saved = persistence_.sync_interval + kSlowestSave;
  thread_->Load({std::move(key), std::move(loaded), creates ? until_saved : absl::ZeroDuration()});
}

std::optional<SessionEnd> SessionBacking::MoveToNow(SessionRecord* record) const {
  const absl::Time now = SteadyNow();
  const absl::Time clock = now + std::min(persistence_.wall_ahead(), absl::ZeroDuration());  // see ExpiryOf
  const absl::Duration idle = std::max(clock - absl::FromUnixNanos(record->last_used_ns), absl::ZeroDuration());
  record->last_used_ns = absl::ToUnixNanos(now - idle);
  if (record->idle_timeout_ns != SessionRecord::kNever && idle >= absl::Nanoseconds(record->idle_timeout_ns)) {
    return SessionEnd{SessionEnd::Cause::kIdle, idle};
  }
  if (record->ends_at_ns == SessionRecord::kNever) return std::nullopt;
  const absl::Duration left = absl::FromUnixNanos(record->ends_at_ns) - clock;
  record->ends_at_ns = absl::ToUnixNanos(now + left);
  if (left <= absl::ZeroDuration()) return SessionEnd{SessionEnd::Cause::kLifetime, absl::ZeroDuration()};
  return std::nullopt;
}

void SessionBacking::LoadRecord(absl::string_view id, std::function<void(Found)> done) {
  std::string key(id);
  auto loaded = [this, key, done = std::move(done)](const StoreThread::Loaded& answer) {
    done(InterpretRecord(key, answer));
  };
  StoreLoad load{std::move(key), std::move(loaded)};
  load.waits_until = std::chrono::steady_clock::now() + kLongestWait;
  thread_->Load(std::move(load));
}

SessionBacking::Found SessionBacking::InterpretRecord(const std::string& id, const StoreThread::Loaded& loaded) {
  Found found;
  found.epoch = loaded.epoch;
  found.missing = UnknownSessionError(id);
  if (!loaded.status.ok()) {
    found.status = WithId(id, loaded.status);
    return found;
  }
  if (const std::optional<std::string> reason = UnsavedEndOf(id, loaded)) {
    found.missing = EndedError(id, *reason);
    return found;
  }
  if (loaded.value.empty()) return found;
  absl::StatusOr<StoredRecord> stored = DecodeRecord(loaded.value);
  if (!stored.ok()) {
    found.status = WithId(id, stored.status());
    return found;
  }
  if (const auto* ended = std::get_if<EndedRecord>(&*stored)) {
    found.missing = EndedError(id, ended->reason);
    return found;
  }
  auto& record = std::get<SessionRecord>(*stored);
  if (record.id != id) {
    found.status = WithId(id, absl::DataLossError("the store has another session in its place"));
    return found;
  }
  found.went_back = absl::FromUnixNanos(record.last_used_ns) < loaded.doubtful_before;
  if (const std::optional<SessionEnd> end = MoveToNow(&record)) {
    found.missing = EndedError(id, *end);
    return found;
  }
  found.record = std::move(record);
  return found;
}

SessionBacking::Found SessionBacking::Interpret(const std::string& id, const StoreThread::Loaded& loaded) {
  Found found = InterpretRecord(id, loaded);
  if (!found.record) return found;
  absl::StatusOr<ServedModelPtr> model = persistence_.find_model(found.record->model);
  if (model.ok()) {
    found.model = *std::move(model);
  } else {  // not NOT_FOUND: the session exists
    const Why why = absl::IsUnavailable(model.status()) ? Why::kModelAway : Why::kPosition;
    found.status = Refuse(why, absl::StrCat("session '", IdIn(id), "': ", model.status().message()));
    found.record.reset();
  }
  return found;
}

void SessionBacking::Save(SessionView session, uint64_t epoch, std::function<void(const absl::Status&)> done,
                          SessionStore::After after) {
  const absl::Duration wall_ahead = persistence_.wall_ahead();
  const absl::Time expires_at = ExpiryOf(session, wall_ahead, persistence_.ended_kept);
  session.last_used_ns += absl::ToInt64Nanoseconds(wall_ahead);
  if (session.ends_at_ns != SessionFields::kNever) session.ends_at_ns += absl::ToInt64Nanoseconds(wall_ahead);
  {
    MutexLock lock(&mutex_);
    if (!unsaved_ends_.empty()) unsaved_ends_.erase(session.id);  // a session of this id lives again
  }
  thread_->Enqueue({std::string(session.id), Encode(session), expires_at, epoch, std::move(done), after});
}

void SessionBacking::LetGo(absl::string_view id) {
  {
    MutexLock lock(&mutex_);
    if (unsaved_ends_.count(id) > 0) return;  // the end lets go of it
  }
  thread_->Enqueue({std::string(id), "", absl::InfiniteFuture(), SessionStore::kOwnEpoch, [](const absl::Status&) {},
                    SessionStore::After::kLetGo});
}

void SessionBacking::SaveEnd(End end) {
  MutexLock lock(&mutex_);
  const UnsavedEnd unsaved{std::move(end), ++last_ticket_};
  if (unsaved_ends_.size() < kMaxUnsavedEnds) unsaved_ends_[unsaved.end.id] = unsaved;
  Enqueue(unsaved);
}

void SessionBacking::TryEnd(const End& end, std::function<void(const absl::Status&)> done) {
  const absl::Duration kept = std::clamp(absl::Nanoseconds(end.idle_timeout_ns), persistence_.ended_kept,
                                         std::max(persistence_.ended_kept, kLongestEndedKept));
  thread_->Enqueue({end.id, Encode(EndedRecord{end.id, end.reason}), absl::Now() + kept, end.epoch, std::move(done),
                    SessionStore::After::kLetGo});
}

void SessionBacking::Enqueue(const UnsavedEnd& unsaved) {
  TryEnd(unsaved.end, [this, unsaved](const absl::Status& status) { OnEndSaved(unsaved, status); });
}

void SessionBacking::OnEndSaved(const UnsavedEnd& tried, const absl::Status& status) {
  MutexLock lock(&mutex_);
  const bool is_back = status.ok() && ends_fail_;
  ends_fail_ = StoreIsAway(status);
  if (is_back) thread_->Wake();  // for all that could not be saved meanwhile
  const auto found = unsaved_ends_.find(tried.end.id);
  if (found == unsaved_ends_.end() || found->second.ticket != tried.ticket) return;
  const bool loaded_since = found->second.end.epoch != tried.end.epoch;  // by us: we took the session over
  if (status.ok() || (absl::IsAborted(status) && !loaded_since)) {       // aborted: another server has the session
    unsaved_ends_.erase(found);
  } else {
    found->second.failed = true;
  }
}

void SessionBacking::RetryEnds() {
  std::vector<std::string> failed;
  {
    MutexLock lock(&mutex_);
    const size_t most = ends_fail_ ? kRetriesWhileAway : unsaved_ends_.size();
    for (const auto& [id, unsaved] : unsaved_ends_) {
      if (failed.size() == most) break;
      if (unsaved.failed) failed.push_back(id);
    }
  }
  for (const std::string& id : failed) {
    // Held until the end is on its way: a session that lives again is saved behind its end, or its end is forgotten.
    MutexLock lock(&mutex_);
    const auto found = unsaved_ends_.find(id);
    if (found != unsaved_ends_.end() && std::exchange(found->second.failed, false)) Enqueue(found->second);
  }
}

size_t SessionBacking::CountUnsavedEnds() {
  MutexLock lock(&mutex_);
  return unsaved_ends_.size();
}

std::optional<std::string> SessionBacking::UnsavedEndOf(const std::string& id, const StoreThread::Loaded& loaded) {
  MutexLock lock(&mutex_);
  const auto found = unsaved_ends_.find(id);
  if (found == unsaved_ends_.end()) return std::nullopt;
  if (loaded.taken_over) {  // another server had gone on with the session: what ended was an old copy
    unsaved_ends_.erase(found);
    return std::nullopt;
  }
  found->second.end.epoch = loaded.epoch;
  return found->second.end.reason;
}

}  // namespace rondo
