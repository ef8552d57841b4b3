#ifndef RONDO_MODEL_KERNELS_CELL_KERNEL_H_
#define RONDO_MODEL_KERNELS_CELL_KERNEL_H_

#include <cstddef>
#include <memory>
#include <string>

namespace rondo {

// Where one layer reads and writes while it runs one timestep of a batch: row-major, 64-byte aligned, room for the
// largest batch size. No output overlaps an input. c belongs to the lstm; null for other cells.
struct LayerBuffers {
  const float* input = nullptr;  // [batch_size][input width of the layer]
  const float* h_in = nullptr;   // [batch_size][hidden_size]
  const float* c_in = nullptr;   // [batch_size][hidden_size]
  float* h_out = nullptr;        // [batch_size][hidden_size]: the layer's output and its next state
  float* c_out = nullptr;        // [batch_size][hidden_size]
  float* scratchpad = nullptr;   // CellKernel::scratchpad_size() floats
};

// Where one layer reads and writes while it runs timesteps of one row, one after the other. No output overlaps an
// input.
struct TimestepBuffers {
  const float* inputs = nullptr;  // [timesteps][input width of the layer]
  const float* h_in = nullptr;    // [hidden_size]: before the first timestep
  float* h_out = nullptr;         // [timesteps][hidden_size]
  float* c = nullptr;             // [hidden_size], lstm only: before the first timestep, then after the last
  float* scratchpad = nullptr;    // CellKernel::timesteps_scratchpad_size() floats
};

// A layer tied to one set of buffers, so that running it prepares nothing. One thread at a time.
class BoundLayer {
 public:
  virtual ~BoundLayer() = default;

  // Runs rows 0..batch_size-1; batch_size is one of those the kernel was made for.
  // False: the kernel failed and the outputs are undefined.
  virtual bool Run(size_t batch_size) = 0;
};

// One recurrent layer with its prepared weights. Immutable; any thread. Outlives the layers bound to it.
class CellKernel {
 public:
  virtual ~CellKernel() = default;

  // Null: out of memory.
  virtual std::unique_ptr<BoundLayer> Bind(const LayerBuffers& buffers) const = 0;

  // Floats that a run may use while it lasts.
  virtual size_t scratchpad_size() const = 0;

  // Runs timesteps of one row; every bit is that of as many runs of one timestep. REQUIRES: runs_timesteps().
  virtual void RunTimesteps(const TimestepBuffers&, size_t /*timesteps*/) const {}
  virtual size_t timesteps_scratchpad_size(size_t /*timesteps*/) const { return 0; }
  virtual bool runs_timesteps() const { return false; }

  // The kernel's name for people: "onednn/brgemm:avx512_core" or "reference".
  virtual std::string name() const = 0;
};

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_CELL_KERNEL_H_
