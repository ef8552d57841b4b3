#ifndef RONDO_SERVER_SERVE_TENANT_QUOTA_H_
#define RONDO_SERVER_SERVE_TENANT_QUOTA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/serve/work_budget.h"

namespace rondo {

// What one tenant may take of what all share. 0: no limit of its own.
struct TenantLimits {
  double sessions = 0;          // live in memory
  double streams = 0;           // open
  double steps_per_second = 0;  // as WorkBudget counts them
  double bytes_per_second = 0;  // likewise
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

 private:
  std::atomic<double> per_second_{0};
  std::atomic<int64_t> paid_until_ns_{0};
};

// Counts what one tenant takes.
//
// Threads: any.
class TenantQuota {
 public:
  void SetLimits(const TenantLimits& limits);

  // RESOURCE_EXHAUSTED: the tenant has taken what it may; nothing was taken. GiveBack a session or a stream at its end.
  absl::Status TakeSession() { return TakeOne("live sessions", max_sessions_, &sessions_); }
  absl::Status TakeStream() { return TakeOne("open streams", max_streams_, &streams_); }
  absl::Status TakeWork(const Work& work);
  void GiveBackSession() { sessions_.fetch_sub(1, std::memory_order_relaxed); }
  void GiveBackStream() { streams_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  static absl::Status TakeOne(const char* what, const std::atomic<double>& most, std::atomic<int64_t>* count);

  std::atomic<double> max_sessions_{0};
  std::atomic<double> max_streams_{0};
  std::atomic<int64_t> sessions_{0};
  std::atomic<int64_t> streams_{0};
  RateLimit steps_;
  RateLimit bytes_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_TENANT_QUOTA_H_
