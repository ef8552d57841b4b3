#ifndef RONDO_MODEL_NETWORK_STEP_ROW_H_
#define RONDO_MODEL_NETWORK_STEP_ROW_H_

#include <cstdint>

namespace rondo {

// One step of one series: where its numbers are read and written. Borrowed for the length of the call.
struct StepRow {
  const float* input = nullptr;     // [input_size], raw units, finite; for a token model one valid token id
  int64_t time = 0;                 // unix seconds; read only if the spec needs_times()
  const float* state_in = nullptr;  // [state_size], see ModelSpec::state_size
  float* state_out = nullptr;       // [state_size]; may be state_in
  float* output = nullptr;          // [output_size], raw units; null: not wanted, and not computed
  bool finite = false;              // set by Step; false: state_out and output were not written
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_STEP_ROW_H_
