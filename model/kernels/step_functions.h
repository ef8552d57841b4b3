#ifndef RONDO_MODEL_KERNELS_STEP_FUNCTIONS_H_
#define RONDO_MODEL_KERNELS_STEP_FUNCTIONS_H_

#include <cstddef>

#include "model/kernels/activation_function.h"
#include "model/kernels/cell_kernel.h"
#include "model/kernels/instruction_set.h"
#include "model/kernels/packed_layer.h"

namespace rondo {

// y = W x + b for some rows.
struct DenseProblem {
  const float* const* rows;
  size_t num_rows;
  size_t inputs;
  const float* weight;  // [outputs][stride], zero past inputs
  size_t stride;        // inputs rounded up to whole kLanes
  const float* bias;
  size_t outputs;
  float* y;  // [num_rows][outputs]
};

// y = f(W [x, h] + b) for some rows; h may be absent. A row of x, h and y begins so many floats after the one before.
struct ProductProblem {
  const PackedColumns* columns;  // of one gate
  size_t outputs;
  size_t num_rows;
  const float* x;
  size_t x_stride;
  const float* h;  // null: columns->hiddens is 0
  size_t h_stride;
  float* y;  // no part of x or h
  size_t y_stride;
  ActivationFunction function;  // one that RunsOnLanes
};

// What is compiled once for each set of instructions. Every sum has one order, so the answers are equal bit for bit.
struct StepFunctions {
  // Runs rows 0..batch_size-1 of a layer.
  void (*step)(const PackedLayer& layer, const LayerBuffers& buffers, size_t batch_size);
  // Runs timesteps of one row. The products with x of all timesteps are one matrix product, whose sums those with h go
  // on from.
  void (*timesteps)(const PackedLayer& layer, const TimestepBuffers& buffers, size_t timesteps);
  void (*dense)(const DenseProblem& problem);
  void (*product)(const ProductProblem& problem);
  // REQUIRES: RunsOnLanes(function). y may be x.
  void (*activate)(const ActivationFunction& function, const float* x, size_t size, float* y);
};

// Floats of LayerBuffers::scratchpad that a step needs.
size_t StepScratchpadSize(const PackedLayer& layer, size_t max_batch_size);

// Floats of TimestepBuffers::scratchpad that some timesteps need.
size_t TimestepsScratchpadSize(const PackedLayer& layer, size_t timesteps);

// REQUIRES: this CPU has the instruction set.
const StepFunctions& StepFunctionsFor(InstructionSet instruction_set);

// Each is defined in a source of its own; the last two on x86-64 only.
extern const StepFunctions kPlainFunctions;
extern const StepFunctions kAvx2Functions;
extern const StepFunctions kAvx512Functions;

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_STEP_FUNCTIONS_H_
