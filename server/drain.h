#ifndef RONDO_SERVER_DRAIN_H_
#define RONDO_SERVER_DRAIN_H_

#include <atomic>

#include "absl/time/time.h"

namespace rondo {

// How far the server is with leaving, and how long it may take.
//
// Threads: Begin and deadline on one thread; all else on any.
class Drain {
 public:
  // How often who waits for a part of the leaving looks whether it is done.
  static constexpr absl::Duration kPoll = absl::Milliseconds(1);

  void SayLeaving() { leaving_ = true; }
  // New work is refused from now on, and what runs may go on until `deadline`.
  void Begin(absl::Time deadline) {
    deadline_ = deadline;
    draining_ = true;
  }
  void CutShort() { cut_short_ = true; }

  // Returns until when what runs may go on, by absl::Now; infinite before Begin.
  absl::Time deadline() const { return cut_short_ ? absl::InfinitePast() : deadline_; }
  const std::atomic<bool>& leaving() const { return leaving_; }    // health says NOT_SERVING
  const std::atomic<bool>& draining() const { return draining_; }  // and new work is refused

 private:
  std::atomic<bool> leaving_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> cut_short_{false};
  absl::Time deadline_ = absl::InfiniteFuture();
};

}  // namespace rondo

#endif  // RONDO_SERVER_DRAIN_H_
