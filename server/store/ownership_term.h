#ifndef RONDO_SERVER_STORE_OWNERSHIP_TERM_H_
#define RONDO_SERVER_STORE_OWNERSHIP_TERM_H_

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace rondo {

// Tells whether other servers may have passed this one over. They may take what it owns once they have not heard of it
// for kLapse. Each time that may have happened a new term begins, and what was loaded in an earlier term may be another
// server's now. That happens to a process that was stopped, and to one whose network was cut; while the storage is away
// for all, nobody is passed over, and the term goes on.
//
// Threads: every method may be called from any thread, but Renew from one. Time is an argument, by SteadyNow().
class OwnershipTerm {
 public:
  static constexpr absl::Duration kLapse = absl::Seconds(5);

  // The thread that renews is awake; to be called about once a second. Before the first call no term ends.
  void Awake(absl::Time now) {
    At(now);
    awake_ns_.store(absl::ToUnixNanos(now), std::memory_order_relaxed);
  }
  // The storage answers, and is about to tell others that this server lives.
  void Renew(absl::Time now) {
    if (now - renewed_ > kLapse) ++number_;
    renewed_ = now;
  }
  // The present term. It takes two loads from memory.
  uint64_t At(absl::Time now) {
    int64_t awake_ns = awake_ns_.load(std::memory_order_relaxed);
    const int64_t now_ns = absl::ToUnixNanos(now);
    // One of those who see that the process was stopped begins the new term.
    if (now_ns - kLapseNs > awake_ns && awake_ns_.compare_exchange_strong(awake_ns, now_ns)) ++number_;
    return number_.load();
  }

 private:
  static constexpr int64_t kLapseNs = 5'000'000'000;
  static_assert(kLapse == absl::Nanoseconds(kLapseNs));

  std::atomic<uint64_t> number_{0};
  std::atomic<int64_t> awake_ns_{std::numeric_limits<int64_t>::max()};
  absl::Time renewed_ = absl::InfiniteFuture();  // by the thread that renews
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_OWNERSHIP_TERM_H_
