#ifndef RONDO_MODEL_NETWORK_H_
#define RONDO_MODEL_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/kernels/layer_kernels.h"
#include "model/model_spec.h"
#include "model/weights.h"

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

// Layers and head of one model, ready to run.
//
// Ownership: owns its prepared weights and a small pool of workspaces, one for each thread that runs at one time.
// Threads:   Step may be called from any number of threads at once. A thread calls PrepareComputeThread first.
// Errors:    none after Create; a row whose result is not finite says so in StepRow::finite.
class Network {
 public:
  using Options = KernelOptions;

  // INVALID_ARGUMENT: the spec, or weights whose sizes do not follow from it. INTERNAL: oneDNN refused.
  static absl::StatusOr<std::unique_ptr<Network>> Create(ModelSpec spec, Weights weights, const Options& options);
  ~Network();

  // Runs one timestep of each row. Rows are independent of each other; no two may share a state_out or output.
  // Allocates nothing once as many threads as run at one time have each called it.
  void Step(absl::Span<StepRow> rows) const;

  const ModelSpec& spec() const;
  // The name of the kernels for people: "rondo/avx512", "onednn/brgemm:avx512_core" or "reference". Where oneDNN is
  // held to one number of rows, the name also says that: "onednn/ref, 6 rows".
  const std::string& kernel_name() const;
  // True if a row's result does not depend on what shares its batch, bit for bit.
  bool deterministic() const;
  // Floating point operations of one row's step, to judge whether splitting a batch pays.
  double flops_per_row() const;
  size_t max_batch_size() const;

 private:
  class Impl;
  explicit Network(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_H_
