#ifndef RONDO_SERVER_SERVE_FORECAST_VIEW_H_
#define RONDO_SERVER_SERVE_FORECAST_VIEW_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// A request for a forecast. It borrows all that it points to.
struct ForecastView {
  absl::string_view model;
  int64_t version = 0;                      // 0: the session's own, else the newest
  absl::string_view session_id;             // whose state the forecast starts from; empty: it starts from `history`
  absl::Span<const float> history;          // [timesteps][input_size]
  absl::Span<const int64_t> history_times;  // [timesteps], unix seconds
  int64_t horizon = 0;                      // rows wanted
  absl::Span<const float> known_inputs;     // [horizon - 1][input_size]; may be empty if all inputs are fed back
  absl::Span<const int64_t> known_times;    // [horizon - 1], unix seconds; empty: they follow from the last known time
  int64_t num_paths = 0;                    // to sample; 0: one path, which feeds back means, or medians
  absl::Span<const double> path_quantiles;  // ascending, inside (0, 1); empty: 0.1, 0.5, 0.9
  uint64_t seed = 0;                        // of the sampling; 0: a random one
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_FORECAST_VIEW_H_
