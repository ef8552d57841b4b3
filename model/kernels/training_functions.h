#ifndef RONDO_MODEL_KERNELS_TRAINING_FUNCTIONS_H_
#define RONDO_MODEL_KERNELS_TRAINING_FUNCTIONS_H_

#include <cstddef>

#include "model/kernels/instruction_set.h"
#include "model/kernels/packed_columns.h"

namespace rondo {

// c += a^T b: what a window of timesteps adds to the gradient of one weight.
struct WeightGradient {
  const float* b;  // [depth][columns]
  size_t columns;
  float* c;  // [rows][columns]
};

// What a window adds to the gradients of a layer's weights of x and h and of its bias, by way of some gates' sums. Each
// number is one chain of fused multiply-adds over the depth in order, that begins with what is there.
struct GradientProblem {
  size_t depth;    // timesteps x series
  const float* a;  // [depth][a_stride]: the gradient of `rows` sums
  size_t a_stride;
  size_t rows;
  WeightGradient of_x, of_h;
  float* bias;        // [rows]
  float* scratchpad;  // GradientScratchpadSize(of_x.columns, of_h.columns) floats
};

// Rows of a and b that are gone through before the next ones are: what they are copied to stays in the cache.
inline constexpr size_t kGradientDepth = 128;

inline size_t GradientScratchpadSize(size_t of_x, size_t of_h) {
  const auto padded = [](size_t columns) { return (columns + kLanes - 1) / kLanes * kLanes; };
  return kGradientDepth * (padded(of_x) + padded(of_h));
}

// One timestep of an lstm for some rows, as torch.nn.LSTM has it, with what going back through it needs.
struct LstmTimestep {
  size_t rows;
  size_t hidden_size;
  float* gates;          // [rows][4][hidden_size], i f g o: sums, then the gates, then the gradient of the sums
  const float* c_in;     // [rows][hidden_size]
  float* c;              // [rows][hidden_size]
  float* tanh_c;         // [rows][hidden_size]
  float* h;              // [rows][hidden_size]
  const float* dh;       // [rows][hidden_size]: the gradient of h by way of the layer's output
  const float* dh_next;  // [rows][hidden_size]: that by way of the next timestep
  float* dc;             // [rows][hidden_size]: the gradient of c by way of the next timestep, then that of c_in
};

// What the trainer runs, compiled once for each set of instructions as StepFunctions are.
struct TrainingFunctions {
  void (*add_gradient)(const GradientProblem& problem);
  // Sums to gates, c, tanh_c and h.
  void (*lstm_forward)(const LstmTimestep& timestep);
  // Gates and gradients to the gradient of the sums.
  void (*lstm_backward)(const LstmTimestep& timestep);
};

// REQUIRES: this CPU has the instruction set.
const TrainingFunctions& TrainingFunctionsFor(InstructionSet instruction_set);

// Each is defined in a source of its own; the last two on x86-64 only.
extern const TrainingFunctions kPlainTraining;
extern const TrainingFunctions kAvx2Training;
extern const TrainingFunctions kAvx512Training;

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_TRAINING_FUNCTIONS_H_
