#ifndef RONDO_MODEL_TRAIN_WINDOWS_H_
#define RONDO_MODEL_TRAIN_WINDOWS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace rondo::train {

// Names consecutive timesteps of one series, read from a zero state. Those before scored_begin only build up the state.
struct Segment {
  size_t series = 0;
  int64_t begin = 0;
  int64_t scored_begin = 0;
  int64_t end = 0;

  int64_t timesteps() const { return end - begin; }
};

// Names a part of a segment, at most one window long; it is empty if begin == end.
struct Window {
  size_t series = 0;
  int64_t begin = 0;
  int64_t scored_begin = 0;
  int64_t end = 0;
  bool fresh = true;  // starts from a zero state, else from where this lane's last window ended
};

// Holds the windows of one pass, as steps of `batch_size` lanes.
using Pass = std::vector<std::vector<Window>>;

// Plans a pass. Every lane takes the next segment when it has read its last one; a segment longer than a window goes on
// in the lane's next step with the state carried over.
Pass PlanPass(absl::Span<const Segment> segments, int64_t window, int64_t batch_size);

// These draw one epoch of training on `parts`, from `seed` alone.
//
// ShuffledWindows cuts each part from a random phase on into windows that overlap by half, in random order; every
// window starts from a zero state. CarriedPieces cuts each part from a random phase on into at most batch_size long
// pieces.
std::vector<Segment> ShuffledWindows(absl::Span<const Segment> parts, int64_t window, uint64_t seed);
std::vector<Segment> CarriedPieces(absl::Span<const Segment> parts, int64_t window, int64_t batch_size, uint64_t seed);

// Cuts `parts` into pieces that `batch_size` lanes read at once, each after `warmup` timesteps (or as many as the
// series has before it) that build up the state and are not scored.
std::vector<Segment> ScoredPieces(absl::Span<const Segment> parts, int64_t warmup, int64_t batch_size);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_WINDOWS_H_
