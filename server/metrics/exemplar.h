#ifndef RONDO_SERVER_METRICS_EXEMPLAR_H_
#define RONDO_SERVER_METRICS_EXEMPLAR_H_

#include <array>
#include <cstdint>

#include "absl/time/time.h"

namespace rondo {

// One of the values that a histogram has counted, and the trace that shows how it came about.
struct Exemplar {
  std::array<uint8_t, 16> trace_id{};
  uint64_t value = 0;                    // in whole units, as the histogram counts them
  absl::Time at = absl::InfinitePast();  // InfinitePast: there is none
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_EXEMPLAR_H_
