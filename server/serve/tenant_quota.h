#ifndef RONDO_SERVER_SERVE_TENANT_QUOTA_H_
#define RONDO_SERVER_SERVE_TENANT_QUOTA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/metrics/probes.h"
#include "server/serve/work_budget.h"

namespace rondo {

// What one tenant may take of what all share. 0: no limit of its own.
struct TenantLimits {
  double sessions = 0;                                         // live in memory
  double streams = 0;                                          // open
  double connections = 0;                                      // open, on which it has made calls
  double steps_per_second = 0;                                 // as WorkBudget counts them
  double bytes_per_second = 0;                                 // likewise
  absl::Duration session_lifetime = absl::InfiniteDuration();  // infinite: no limit of its own
};

// Lets through so much a second, and at most a second's worth at once beyond that. What is larger than a second's worth
// passes if nothing is owed, and what it took beyond the rate is owed from then on. (The generic cell rate algorithm of
// ITU-T I.371.)
//
// Threads: any.
class RateLimit {
 public:
  // 0: everything passes.
  void SetRate(double per_second) { per_second_.store(per_second, std::memory_order_relaxed); }
  // False: not now. `now`: of a clock that never goes back.
  bool Take(double amount, absl::Time now);
  // Tells whether Take would let something through.
  bool HasRoom(absl::Time now) const;
  // Takes what has been used already, whether there is room or not. At most an hour's worth is owed by it.
  void Owe(double amount, absl::Time now);

 private:
  int64_t CostOf(double amount) const;

  std::atomic<double> per_second_{0};
  std::atomic<int64_t> paid_until_ns_{0};
};

// Counts what one tenant takes.
//
// Threads: any.
class TenantQuota {
 public:
  // `counts`: of the tenant's class; null: nobody counts.
  void SetLimits(const TenantLimits& limits, TenantClassProbe* counts);

  // RESOURCE_EXHAUSTED: the tenant has taken what it may; nothing was taken. GiveBack what is counted at its end.
  absl::Status TakeSession() { return sessions_.Take("live sessions", TenantLimit::kSessions, counts_); }
  absl::Status TakeStream() { return streams_.Take("open streams", TenantLimit::kStreams, counts_); }
  absl::Status TakeConnection() { return connections_.Take("connections", TenantLimit::kConnections, counts_); }
  absl::Status TakeWork(const Work& work);
  // Takes the bytes of a request that takes no steps.
  absl::Status TakeBytes(size_t bytes);
  // Takes bytes that have been used already, as those of a reply: what comes next has to wait for them.
  void OweBytes(size_t bytes, absl::Time now);
  // Tells whether so many are owed that a request would be refused.
  bool OwesBytes(absl::Time now) const { return !bytes_.HasRoom(now); }
  void GiveBackSession() { sessions_.GiveBack(); }
  void GiveBackStream() { streams_.GiveBack(); }
  void GiveBackConnection() { connections_.GiveBack(); }

  bool limits_connections() const { return connections_.limited(); }
  absl::Duration session_lifetime() const {
    return absl::Seconds(session_lifetime_seconds_.load(std::memory_order_relaxed));
  }
  // How many of each the tenant has now.
  int64_t sessions() const { return sessions_.taken(); }
  int64_t streams() const { return streams_.taken(); }
  int64_t connections() const { return connections_.taken(); }

 private:
  // Things of which a tenant may have so many at once.
  class Places {
   public:
    void SetMost(double most) { most_.store(most, std::memory_order_relaxed); }
    absl::Status Take(const char* what, TenantLimit limit, TenantClassProbe* counts);
    void GiveBack() { taken_.fetch_sub(1, std::memory_order_relaxed); }
    bool limited() const { return most_.load(std::memory_order_relaxed) > 0; }
    int64_t taken() const { return taken_.load(std::memory_order_relaxed); }

   private:
    std::atomic<double> most_{0};  // 0: any number
    std::atomic<int64_t> taken_{0};
  };

  absl::Status RefuseWork(const char* text, TenantLimit limit) const;
  absl::Status RefuseBytes() const;

  std::atomic<TenantClassProbe*> counts_{nullptr};
  Places sessions_;
  Places streams_;
  Places connections_;
  std::atomic<double> session_lifetime_seconds_{std::numeric_limits<double>::infinity()};
  RateLimit steps_;
  RateLimit bytes_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_TENANT_QUOTA_H_
