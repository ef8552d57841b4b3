// Many threads at once. Run under ThreadSanitizer: states and the record of the order are written under leases alone.
#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

constexpr int kThreads = 4;

// Threads take tickets and a place in the queue in one go; whoever gets the lease writes down its ticket.
class SessionTableFifoStress : public SessionFixture {
 protected:
  class TicketWaiter : public LeaseWaiter {
   public:
    TicketWaiter(SessionTableFifoStress* test, int ticket) : test_(test), ticket_(ticket) {}
    void OnLease(absl::StatusOr<SessionLease> lease) override {
      ASSERT_TRUE(lease.ok());
      test_->Serve(ticket_, *std::move(lease));
    }
    int ticket() const { return ticket_; }

   private:
    SessionTableFifoStress* const test_;
    const int ticket_;
  };

  void Serve(int ticket, SessionLease lease) {
    served_.push_back(ticket);
    lease.state()[0] += 1;
    if (ticket % 3 == 0) {
      lease.state()[0] -= 1;
      lease.Release(now_);
    } else {
      CommittedSequence sequence;
      sequence.timesteps = 1;
      lease.Commit(sequence, now_);
    }
  }

  void TakeTickets(int count, uint32_t seed) {
    std::mt19937 random(seed);
    for (int i = 0; i < count; ++i) {
      std::optional<SessionLease> at_once;
      TicketWaiter* waiter = nullptr;
      {
        MutexLock lock(&ticket_mutex_);
        waiters_.push_back(std::make_unique<TicketWaiter>(this, static_cast<int>(waiters_.size())));
        waiter = waiters_.back().get();
        auto lease = queue_table_->Acquire("s", nullptr, waiter, now_);
        ASSERT_TRUE(lease.ok()) << lease.status();
        at_once = *std::move(lease);
      }
      if (at_once) {
        Serve(waiter->ticket(), *std::move(at_once));
      } else if (random() % 4 == 0 && queue_table_->CancelWait("s", waiter)) {
        MutexLock lock(&ticket_mutex_);
        cancelled_.push_back(waiter->ticket());
      }
    }
  }

  std::unique_ptr<SessionTable> queue_table_;
  Mutex ticket_mutex_;
  std::deque<std::unique_ptr<TicketWaiter>> waiters_ ABSL_GUARDED_BY(ticket_mutex_);
  std::vector<int> cancelled_ ABSL_GUARDED_BY(ticket_mutex_);
  std::vector<int> served_;  // by whoever has the lease
};

TEST_F(SessionTableFifoStress, TheOrderIsThatOfArrivalWhateverThreadTheyAreOn) {
  constexpr int kTicketsPerThread = 20'000;
  SessionTable::Options options;
  options.max_queue_per_session = kThreads * kTicketsPerThread;
  queue_table_ = std::make_unique<SessionTable>(options);
  ASSERT_TRUE(queue_table_->Create("s", model_, std::nullopt, now_).ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back([this, i] { TakeTickets(kTicketsPerThread, i); });
  for (std::thread& thread : threads) thread.join();

  // Every ticket was served or cancelled, once, and served in order.
  EXPECT_TRUE(std::is_sorted(served_.begin(), served_.end()));
  MutexLock lock(&ticket_mutex_);
  std::vector<int> all = served_;
  all.insert(all.end(), cancelled_.begin(), cancelled_.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), waiters_.size());
  for (size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<int>(i));
}

// Acquires, commits, releases, cancels, deletes and expires at random, from every thread, on a few sessions.
class SessionTableChaosStress : public SessionFixture {
 protected:
  class Worker;

  class ChaosWaiter : public LeaseWaiter {
   public:
    ChaosWaiter(Worker* worker, std::string session, bool drops_at_once)
        : id(std::move(session)), worker_(worker), drops_at_once_(drops_at_once) {}
    void OnLease(absl::StatusOr<SessionLease> lease) override;

    const std::string id;
    std::atomic<int> calls{0};
    bool cancelled = false;

   private:
    Worker* const worker_;
    const bool drops_at_once_;
  };

  class Worker {
   public:
    Worker(SessionTableChaosStress* test, uint32_t seed) : test_(test), random_(seed) {}

    void Run(int operations) {
      for (int i = 0; i < operations; ++i) {
        Operate();
        if (held_.size() > 3) Finish();
      }
    }
    // Ends all leases this worker has. False: there was none.
    bool FinishAll() {
      TakeGranted();
      if (held_.empty()) return false;
      while (!held_.empty()) Finish();
      return true;
    }
    void Grant(SessionLease lease) {
      MutexLock lock(&mutex_);
      granted_.push_back(std::move(lease));
    }
    const std::vector<std::unique_ptr<ChaosWaiter>>& waiters() const { return waiters_; }

   private:
    void Operate() {
      TakeGranted();
      const std::string id = absl::StrCat("s", random_() % 12);
      const uint32_t what = random_() % 100;
      if (what < 60) {
        Acquire(id);
      } else if (what < 80) {
        Finish();
      } else if (what < 92) {
        Cancel();
      } else if (what < 96) {
        test_->shared_.Delete(id, test_->Now()).IgnoreError();
      } else if (what < 98) {
        test_->shared_.ExpireIdle(test_->Now());
      } else {
        std::string token;
        EXPECT_TRUE(test_->shared_.List("", 5, test_->Now(), &token).ok());
      }
    }

    void Acquire(const std::string& id) {
      auto waiter = std::make_unique<ChaosWaiter>(this, id, random_() % 4 == 0);
      const ServedModelPtr* create_as = random_() % 2 == 0 ? nullptr : &test_->model_;
      auto lease = test_->shared_.Acquire(id, create_as, waiter.get(), test_->Now());
      if (!lease.ok()) return;
      if (lease->has_value()) {
        held_.push_back(std::move(**lease));
      } else {
        waiters_.push_back(std::move(waiter));
      }
    }

    void TakeGranted() {
      MutexLock lock(&mutex_);
      for (SessionLease& lease : granted_) held_.push_back(std::move(lease));
      granted_.clear();
    }

    // The state says how many commits there were; whoever sees anything else saw a half-done or a foreign one.
    void Finish() {
      if (held_.empty()) return;
      SessionLease lease = std::move(held_.front());
      held_.pop_front();
      ASSERT_EQ(lease.state()[0], static_cast<float>(lease.position()));
      lease.working_state()[0] = -1;
      if (random_() % 3 == 0) return lease.Release(test_->Now());
      lease.state()[0] += 1;
      CommittedSequence sequence;
      sequence.timesteps = 1;
      sequence.end_session = random_() % 50 == 0;
      lease.Commit(sequence, test_->Now());
    }

    void Cancel() {
      if (waiters_.empty()) return;
      ChaosWaiter* const waiter =
          waiters_[waiters_.size() - 1 - random_() % std::min<size_t>(waiters_.size(), 8)].get();
      if (waiter->cancelled) return;
      waiter->cancelled = test_->shared_.CancelWait(waiter->id, waiter);
    }

    SessionTableChaosStress* const test_;
    std::mt19937 random_;
    std::deque<SessionLease> held_;
    std::vector<std::unique_ptr<ChaosWaiter>> waiters_;
    Mutex mutex_;
    std::vector<SessionLease> granted_ ABSL_GUARDED_BY(mutex_);
  };

  static SessionTable::Options ChaosOptions() {
    SessionTable::Options options;
    options.max_sessions = 10;
    options.idle_timeout = absl::Milliseconds(40);
    options.max_queue_per_session = 5;
    options.max_ended = 8;
    return options;
  }

  absl::Time Now() { return now_ + absl::Milliseconds(clock_ms_.fetch_add(1, std::memory_order_relaxed)); }

  std::atomic<int64_t> clock_ms_{0};
  SessionTable shared_{ChaosOptions()};
};

void SessionTableChaosStress::ChaosWaiter::OnLease(absl::StatusOr<SessionLease> lease) {
  ++calls;
  if (lease.ok() && !drops_at_once_) worker_->Grant(*std::move(lease));
}

TEST_F(SessionTableChaosStress, NoWaiterIsLostNoStateSharedAndAllIsFreeAtTheEnd) {
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < kThreads; ++i) workers.push_back(std::make_unique<Worker>(this, i));
  std::vector<std::thread> threads;
  for (const auto& worker : workers) threads.emplace_back([&worker] { worker->Run(30'000); });
  for (std::thread& thread : threads) thread.join();
  for (bool any = true; any;) {
    any = false;
    for (const auto& worker : workers) any = worker->FinishAll() || any;
  }

  int heard = 0;
  int cancelled = 0;
  for (const auto& worker : workers) {
    for (const auto& waiter : worker->waiters()) {
      ASSERT_EQ(waiter->calls, waiter->cancelled ? 0 : 1);
      ++(waiter->cancelled ? cancelled : heard);
    }
  }
  EXPECT_GT(heard, 1000);
  EXPECT_GT(cancelled, 100);

  shared_.ExpireIdle(Now() + absl::Hours(1));
  EXPECT_EQ(shared_.size(), 0u);
  EXPECT_EQ(metrics_.sessions().Value(), 0);
  EXPECT_GT(metrics_.count(SessionEvent::kExpired), 0);
  EXPECT_EQ(metrics_.count(SessionEvent::kCreated),
            metrics_.count(SessionEvent::kDeleted) + metrics_.count(SessionEvent::kExpired));
  // One slab has 4096 slots of this size, and far more were taken: none stayed away.
  EXPECT_EQ(shared_.state_bytes(), size_t{256} << 10);
}

}  // namespace
}  // namespace rondo
