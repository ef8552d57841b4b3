#ifndef RONDO_TESTS_UNIT_SESSION_STORED_SESSIONS_FIXTURE_H_
#define RONDO_TESTS_UNIT_SESSION_STORED_SESSIONS_FIXTURE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "server/session/session_table.h"
#include "tests/unit/session/memory_store.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {

// Waits for what it is to hear.
class LeaseFuture : public LeaseWaiter {
 public:
  void OnLease(absl::StatusOr<SessionLease> lease) override { promise_.set_value(std::move(lease)); }
  absl::StatusOr<SessionLease> Get() { return promise_.get_future().get(); }

 private:
  std::promise<absl::StatusOr<SessionLease>> promise_;
};

class CommitFuture : public CommitWaiter {
 public:
  void OnCommitted(const absl::Status& status) override { promise_.set_value(status); }
  absl::Status Get() { return promise_.get_future().get(); }

 private:
  std::promise<absl::Status> promise_;
};

class StoredSessionsTest : public testing::Test {
 protected:
  static constexpr int64_t kStateSize = 8;

  std::unique_ptr<SessionTable> Open(Durability durability = Durability::kInterval, size_t max_resident = 100,
                                     absl::Duration sync_interval = absl::Milliseconds(10)) {
    SessionTable::Options options = options_;
    options.max_sessions = 1000;
    SessionPersistence persistence;
    auto store = std::make_unique<MemoryStore>(disk_);
    store_ = store.get();
    persistence.store = std::move(store);
    persistence.durability = durability;
    persistence.sync_interval = sync_interval;
    persistence.max_resident = max_resident;
    persistence.find_model = [this](const RecordedModel& recorded) {
      recorded_version_ = recorded.version;
      return find_model_;
    };
    persistence.metrics = &all_metrics_;
    persistence.wall_ahead = [this] { return absl::Hours(wall_ahead_hours_.load()); };
    return std::make_unique<SessionTable>(options, std::move(persistence));
  }

  absl::StatusOr<SessionLease> Acquire(SessionTable* table, absl::string_view id, bool create = false) {
    LeaseFuture future;
    absl::StatusOr<std::optional<SessionLease>> lease =
        table->Acquire(id, create ? &model_ : nullptr, &future, absl::Now());
    if (!lease.ok()) return lease.status();
    if (lease->has_value()) return std::move(**lease);
    return future.Get();
  }

  // One step that leaves `value` in the state and answers it.
  absl::Status Step(SessionTable* table, absl::string_view id, float value, bool create = false, bool end = false) {
    return Step(Acquire(table, id, create), value, end);
  }

  absl::Status Step(absl::StatusOr<SessionLease> lease, float value, bool end = false) {
    if (!lease.ok()) return lease.status();
    for (int64_t i = 0; i < kStateSize; ++i) lease->next_state()[i] = value;
    const float reply[] = {value};
    CommittedSequence sequence;
    sequence.timesteps = 1;
    sequence.fingerprint = static_cast<uint64_t>(value);
    sequence.reply = reply;
    sequence.end_session = end;
    CommitFuture future;
    const std::optional<absl::Status> status = lease->Commit(sequence, absl::Now(), &future);
    return status ? *status : future.Get();
  }

  // One step of each of `count` sessions.
  void StepMany(SessionTable* table, int count, float value, bool create = false) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(Step(table, absl::StrCat("many", i), value, create).ok());
  }

  bool Flush(SessionTable* table, absl::Duration patience = absl::Seconds(10)) {
    return table->Flush(absl::Now() + patience);
  }

  MemoryStore* store_ = nullptr;  // of the table that was opened last
  SessionTable::Options options_;
  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  Metrics all_metrics_;
  CountedEvents metrics_;
  ServedModelPtr model_ = MakeServedModel("m", kStateSize / 2, &metrics_);
  absl::StatusOr<ServedModelPtr> find_model_ = model_;
  int64_t recorded_version_ = 0;  // of the session that was loaded last
  std::atomic<int> wall_ahead_hours_{0};
};

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SESSION_STORED_SESSIONS_FIXTURE_H_
