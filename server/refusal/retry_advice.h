#ifndef RONDO_SERVER_REFUSAL_RETRY_ADVICE_H_
#define RONDO_SERVER_REFUSAL_RETRY_ADVICE_H_

#include <array>
#include <cstdint>

#include "absl/time/time.h"
#include "server/refusal/refusal.h"

namespace rondo {

// Says when a client that was refused should try again: later the more clients are refused, and never all at once. It
// is policy, without a clock, a lock or chance.
class RetryAdvice {
 public:
  // The advice grows by itself once for each so many refusals of one reason in a second, up to kMost.
  static constexpr int kRefusalsASecond = 100;
  static constexpr absl::Duration kMost = absl::Seconds(10);

  // Milliseconds; 0: no advice. `random`: any number; the advice is between half and one and a half of what it is on
  // average. Each call counts one refusal.
  int After(const Refusal& refusal, absl::Time now, uint32_t random);

 private:
  struct Recent {
    absl::Time second = absl::InfinitePast();  // the beginning of the one that is counted
    int refused = 0;                           // in it
    int refused_before = 0;                    // in the second before
  };
  std::array<Recent, kNumWhys> recent_;  // by reason
};

// The advice for a client that is refused now. Any thread.
int RetryAfterMs(const Refusal& refusal);

}  // namespace rondo

#endif  // RONDO_SERVER_REFUSAL_RETRY_ADVICE_H_
