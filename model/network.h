#ifndef RONDO_MODEL_NETWORK_H_
#define RONDO_MODEL_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/kernels/layer_kernels.h"
#include "model/model_spec.h"
#include "model/network/step_row.h"
#include "model/timestep_runner.h"
#include "model/weights.h"

namespace rondo {

// A whole sequence for a network that is whole_sequence. Borrowed for the length of the call.
struct WholeSequence {
  const float* inputs = nullptr;   // [timesteps][input_size], as StepRow's
  const int64_t* times = nullptr;  // [timesteps]; read only if the spec needs_times()
  size_t timesteps = 0;            // 1 to max_timesteps()
  float* outputs = nullptr;        // [timesteps][output_size], or [output_size] with last_only
  bool last_only = false;
  bool finite = false;  // set by RunWhole; false: the outputs have no meaning
};

// The elements and head of one model, ready to run.
//
// Ownership: owns its prepared weights and a small pool of workspaces, one for each thread that runs at one time.
// Threads:   Step may be called from any number of threads at once. A thread calls PrepareComputeThread first.
// Errors:    none after Create; a row whose result is not finite says so in StepRow::finite.
class Network {
 public:
  using Options = KernelOptions;

  // INVALID_ARGUMENT: the spec, weights whose sizes do not follow from it, or a format of the weights that the kernel
  // does not read. INTERNAL: oneDNN refused.
  static absl::StatusOr<std::unique_ptr<Network>> Create(ModelSpec spec, Weights weights, const Options& options);
  ~Network();

  // Runs one timestep of each row. Rows are independent of each other; no two may share a state_out or output.
  // Allocates nothing once as many threads as run at one time have each called it.
  void Step(absl::Span<StepRow> rows) const;

  // Runs timesteps of one sequence, as so many Steps do and bit for bit so, in less time. Allocates as Step does.
  // REQUIRES: timesteps_at_once() is more than 1.
  void StepTimesteps(Timesteps* timesteps) const;
  // The most timesteps that StepTimesteps takes; 1: the network has Step only. As many take about as long as a batch.
  size_t timesteps_at_once() const;

  // Runs whole sequences, of any lengths; none sees another. Like Step but for the memory that it takes meanwhile.
  // REQUIRES: the spec is whole_sequence().
  void RunWhole(absl::Span<WholeSequence> sequences) const;

  const ModelSpec& spec() const;
  // Where a new session begins: [state_size]. Empty: all zeros.
  const std::vector<float>& initial_state() const;
  // The name of the kernels for people: "rondo/avx512", "onednn/brgemm:avx512_core" or "reference".
  const std::string& kernel_name() const;
  // The names of the kernels of the graph's elements, one a node, and of the linear layer behind a plain stack.
  const std::vector<std::string>& element_kernel_names() const;
  const std::string& head_kernel_name() const;
  // How the weights of its recurrent layers are held.
  WeightFormat weights() const;
  // True if a row's result does not depend on what shares its batch, bit for bit.
  bool deterministic() const;
  // Floating point operations of one row's step, to judge whether splitting a batch pays.
  double flops_per_row() const;
  size_t max_batch_size() const;
  // The longest whole sequence, which is held in memory element by element. No bound if the network steps.
  size_t max_timesteps() const;

 private:
  class Impl;
  explicit Network(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_H_
