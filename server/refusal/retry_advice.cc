#include "server/refusal/retry_advice.h"

#include <algorithm>
#include <random>

#include "absl/time/clock.h"
#include "base/mutex.h"

namespace rondo {

int RetryAdvice::After(const Refusal& refusal, absl::Time now, uint32_t random) {
  Recent& recent = recent_[static_cast<size_t>(refusal.why)];
  if (now >= recent.second + absl::Seconds(1)) {
    recent.refused_before = now < recent.second + absl::Seconds(2) ? recent.refused : 0;
    recent.refused = 0;
    recent.second = now;
  }
  const int times = std::max(++recent.refused, recent.refused_before) / kRefusalsASecond;
  const int64_t most = std::max<int64_t>(absl::ToInt64Milliseconds(kMost), refusal.retry_after_ms);
  const int64_t average = std::min(most, int64_t{refusal.retry_after_ms} * (1 + times));
  return static_cast<int>(average / 2 + average * (random % 1024) / 1024);
}

int RetryAfterMs(const Refusal& refusal) {
  static Mutex mutex;
  static RetryAdvice advice;
  static std::minstd_rand random(std::random_device{}());
  if (refusal.retry_after_ms == 0) return 0;
  const MutexLock lock(&mutex);
  return advice.After(refusal, absl::Now(), static_cast<uint32_t>(random()));
}

}  // namespace rondo
