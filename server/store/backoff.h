#ifndef RONDO_SERVER_STORE_BACKOFF_H_
#define RONDO_SERVER_STORE_BACKOFF_H_

#include "absl/time/time.h"

namespace rondo {

// Says when to try again what failed: after a delay that doubles with each failure in a row, and is shortened at random
// so that many servers do not all come back at once. Policy only: no clock, no dice.
class Backoff {
 public:
  // The first delay is `first`; each further one is twice the last, and at most `longest`.
  Backoff(absl::Duration first, absl::Duration longest);

  bool MayTry(absl::Time now) const { return now >= next_; }
  // `dice`: at random in [0, 1). The delay is between half of its full length and the full length.
  void Failed(absl::Time now, double dice);
  void Succeeded();

 private:
  const absl::Duration first_;
  const absl::Duration longest_;
  absl::Duration delay_;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_BACKOFF_H_
