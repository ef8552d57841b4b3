#ifndef RONDO_MODEL_FEATURE_ENCODER_H_
#define RONDO_MODEL_FEATURE_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "model/model_spec.h"

namespace rondo {

// The time since the start of its period, as a fraction of the period: in [0, 1), for any int64.
double CalendarFraction(Calendar calendar, int64_t unix_seconds);

// Turns what a client sends for one timestep into what the first layer sees: (value - mean) / std of each input, then
// the calendar's sines and cosines; or a token's embedding, or for a graph the token. Immutable; any thread.
class FeatureEncoder {
 public:
  // embedding: [tokens][embedding_size]; empty if the model takes no tokens.
  FeatureEncoder(const ModelSpec& spec, std::vector<float> embedding);

  // input: [input_size]; features: [feature_size]. A token id is valid (StepRow::input).
  void Encode(const float* input, int64_t unix_seconds, float* features) const;

  size_t input_size() const { return input_size_; }
  size_t feature_size() const { return feature_size_; }

 private:
  void EncodeTime(int64_t unix_seconds, float* next) const;

  const size_t input_size_;
  const size_t feature_size_;
  bool identity_ = true;              // every mean is 0 and every std 1
  std::vector<double> means_;         // one an input; empty for a token model with an embedding
  std::vector<double> inverse_stds_;  // one an input
  const std::vector<Calendar> calendar_;
  absl::TimeZone zone_;  // of the calendar
  const bool is_utc_;
  const std::vector<float> embedding_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_FEATURE_ENCODER_H_
