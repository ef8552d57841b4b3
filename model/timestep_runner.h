#ifndef RONDO_MODEL_TIMESTEP_RUNNER_H_
#define RONDO_MODEL_TIMESTEP_RUNNER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/feature_encoder.h"
#include "model/kernels/aligned_buffer.h"
#include "model/network/element.h"
#include "model/network/graph.h"
#include "model/output_head.h"

namespace rondo {

// Timesteps of one sequence that follow each other. Borrowed for the length of the call.
struct Timesteps {
  const float* inputs = nullptr;    // [count][input_size], as StepRow's
  const int64_t* times = nullptr;   // [count]; read only if the spec needs_times()
  size_t count = 0;                 // 1 to Network::timesteps_at_once()
  const float* state_in = nullptr;  // [state_size]
  float* state_out = nullptr;       // [state_size]; may be state_in
  float* outputs = nullptr;         // [count][output_size]; null: none is wanted
  bool last_only = false;           // only the last timestep's: [output_size]
  bool finite = false;              // set by the run; false: state_out was not written, and outputs have no meaning
};

// Runs timesteps of one sequence through a plain stack, layer by layer: each takes all of them before the next one
// does. Borrows what it is made of. Its buffers are of one thread at a time.
class TimestepRunner {
 public:
  // How many timesteps are run at once; 1: the layers of this graph take one at a time, or one takes long enough.
  static size_t TimestepsAtOnce(const Graph& graph, const std::vector<std::unique_ptr<ElementKernel>>& kernels,
                                double flops_per_row);

  // Throws std::bad_alloc. REQUIRES: at_once is what TimestepsAtOnce says, and more than 1.
  TimestepRunner(const Graph& graph, const std::vector<std::unique_ptr<ElementKernel>>& kernels, size_t at_once);

  // Every bit of the outputs and the state is that of single steps.
  void Run(const FeatureEncoder& encoder, const OutputHead& head, Timesteps* timesteps);

 private:
  // False: a state is not finite.
  bool RunLayer(size_t layer, const float* inputs, const Timesteps& timesteps, float* h_out);
  bool WriteOutputs(const OutputHead& head, size_t input_size, const float* hidden, const Timesteps& timesteps);

  const Graph& graph_;
  const std::vector<std::unique_ptr<ElementKernel>>& kernels_;
  AlignedBuffer features_;            // [at_once][width of the graph's input]
  AlignedBuffer h_[2];                // [at_once][hidden_size], of one layer and the one before
  AlignedBuffer scratchpad_;          // of the layer that needs most
  AlignedBuffer state_;               // [state_size]
  std::vector<const float*> inputs_;  // [at_once]
  std::vector<const float*> hidden_;  // [at_once]
};

}  // namespace rondo

#endif  // RONDO_MODEL_TIMESTEP_RUNNER_H_
