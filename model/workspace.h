#ifndef RONDO_MODEL_WORKSPACE_H_
#define RONDO_MODEL_WORKSPACE_H_

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "model/kernels/aligned_buffer.h"
#include "model/kernels/cell_kernel.h"

namespace rondo {

// Holds all that one thread needs to run a batch: buffers at fixed addresses and the layers that are bound to them.
struct Workspace {
  struct Sizes {
    size_t batch_size;    // the largest
    size_t feature_size;  // floats a row that the first layer reads
    size_t hidden_size;
    bool has_c;  // lstm
    size_t output_floats;
  };

  // The states of one layer before and after a timestep: [batch_size][hidden_size]. c: lstm only.
  struct LayerStates {
    AlignedBuffer h_in, c_in, h_out, c_out;
  };

  // Null: out of memory.
  static std::unique_ptr<Workspace> Make(const std::vector<std::unique_ptr<CellKernel>>& kernels, const Sizes& sizes);

  AlignedBuffer features;  // [batch_size][feature_size]
  std::vector<LayerStates> states;
  AlignedBuffer scratchpad;
  std::vector<std::unique_ptr<BoundLayer>> layers;  // each layer's h_out is the next one's input
  // The rows that want an output: their places in the batch, raw inputs and last layer's h. Room for batch_size.
  std::vector<size_t> places;
  std::vector<const float*> inputs;
  std::vector<const float*> hidden;
  AlignedBuffer outputs;  // [output_floats]
};

// The workspaces that no thread uses. Any thread.
class WorkspacePool {
 public:
  // The one that was returned last, so that it is warm in the cache. Null: all are in use; make one, and return it
  // here.
  std::unique_ptr<Workspace> Take();

  // Never allocates after as many Takes as there are workspaces.
  void Return(std::unique_ptr<Workspace> workspace);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_;  // guarded by mutex_
  size_t in_use_ = 0;                             // guarded by mutex_
};

}  // namespace rondo

#endif  // RONDO_MODEL_WORKSPACE_H_
