#include "model/train/windows.h"

#include <algorithm>
#include <utility>

#include "model/train/random.h"

namespace rondo::train {
namespace {

int64_t TotalTimesteps(absl::Span<const Segment> parts) {
  int64_t total = 0;
  for (const Segment& part : parts) total += part.timesteps();
  return total;
}

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

Pass PlanPass(absl::Span<const Segment> segments, int64_t window, int64_t batch_size) {
  struct Lane {
    Segment segment;
    int64_t next = 0;
  };
  std::vector<Lane> lanes(batch_size);
  size_t taken = 0;
  Pass pass;
  while (true) {
    std::vector<Window> step(batch_size);
    bool any = false;
    for (int64_t n = 0; n < batch_size; ++n) {
      Lane& lane = lanes[n];
      if (lane.next == lane.segment.end && taken < segments.size()) {
        lane.segment = segments[taken++];
        lane.next = lane.segment.begin;
      }
      if (lane.next == lane.segment.end) continue;
      const int64_t end = std::min(lane.next + window, lane.segment.end);
      step[n] = {lane.segment.series, lane.next, lane.segment.scored_begin, end, lane.next == lane.segment.begin};
      lane.next = end;
      any = true;
    }
    if (!any) return pass;
    pass.push_back(std::move(step));
  }
}

std::vector<Segment> ShuffledWindows(absl::Span<const Segment> parts, int64_t window, uint64_t seed) {
  Random random(seed, 1);
  const int64_t stride = std::max<int64_t>(1, window / 2);
  std::vector<Segment> windows;
  for (const Segment& part : parts) {
    // A part no longer than a window is one window; else every timestep falls into one, the last ending with the part.
    for (int64_t begin = part.begin - random.Below(stride); begin < part.end; begin += stride) {
      const int64_t end = std::min(begin + window, part.end), first = std::max(begin, part.begin);
      windows.push_back({part.series, first, first, end});
      if (end == part.end) break;
    }
  }
  for (size_t i = windows.size(); i > 1; --i) std::swap(windows[i - 1], windows[random.Below(i)]);
  return windows;
}

std::vector<Segment> CarriedPieces(absl::Span<const Segment> parts, int64_t window, int64_t batch_size, uint64_t seed) {
  Random random(seed, 2);
  const int64_t length = std::max(window, CeilDivide(TotalTimesteps(parts), batch_size));
  std::vector<Segment> pieces;
  for (const Segment& part : parts) {
    const int64_t phase = std::min(random.Below(window), part.timesteps() - 1);
    for (int64_t begin = part.begin + phase; begin < part.end; begin += length) {
      pieces.push_back({part.series, begin, begin, std::min(begin + length, part.end)});
    }
  }
  return pieces;
}

std::vector<Segment> ScoredPieces(absl::Span<const Segment> parts, int64_t warmup, int64_t batch_size) {
  const int64_t length = std::max(warmup, CeilDivide(TotalTimesteps(parts), batch_size));
  std::vector<Segment> pieces;
  for (const Segment& part : parts) {
    for (int64_t begin = part.begin; begin < part.end; begin += length) {
      pieces.push_back({part.series, std::max<int64_t>(0, begin - warmup), begin, std::min(begin + length, part.end)});
    }
  }
  return pieces;
}

}  // namespace rondo::train
