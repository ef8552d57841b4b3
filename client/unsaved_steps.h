#ifndef RONDO_CLIENT_UNSAVED_STEPS_H_
#define RONDO_CLIENT_UNSAVED_STEPS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/messages.h"

namespace rondo {

// The newest timesteps of a session that its server answered and may still lose: those after its last save. Bounded;
// the oldest go first. One thread.
class UnsavedSteps {
 public:
  // The most timesteps of one message that sends timesteps again: well under a server's default limits.
  static constexpr int64_t kMaxTimestepsAgain = 256;

  // `max_bytes`: of values and times; 0: keeps nothing.
  explicit UnsavedSteps(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The timesteps of `sequence` were answered; its position is set, and `next` comes after them. They follow the ones
  // before, or start anew.
  void Add(const SequenceInput& sequence, int64_t next);
  // Forgets the timesteps before `position`: they survive the server.
  void DropBefore(int64_t position);
  void Clear();

  // True if every timestep from `position` up to the newest one is here.
  bool Reaches(int64_t position) const { return begin_ <= position && position < end_; }
  // One sequence, without its session, of at most `max_timesteps` from `position` on. REQUIRES: Reaches(position).
  SequenceInput From(int64_t position, int64_t max_timesteps) const;

 private:
  // Forgets the dead front of the vectors once it is half of them.
  void Compact();
  size_t TimestepBytes() const { return width_ * sizeof(float) + (has_times_ ? sizeof(int64_t) : 0); }

  size_t max_bytes_;
  // Timesteps begin_ .. end_ - 1. The vectors start at stored_begin_ <= begin_.
  int64_t stored_begin_ = 0;
  int64_t begin_ = 0;
  int64_t end_ = 0;
  size_t width_ = 0;  // floats a timestep
  bool has_times_ = false;
  std::vector<float> values_;   // [end_ - stored_begin_][width_]
  std::vector<int64_t> times_;  // [end_ - stored_begin_], or empty
};

}  // namespace rondo

#endif  // RONDO_CLIENT_UNSAVED_STEPS_H_
