#ifndef RONDO_MODEL_WORKSPACE_H_
#define RONDO_MODEL_WORKSPACE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "base/mutex.h"
#include "model/kernels/aligned_buffer.h"
#include "model/network/element.h"
#include "model/network/graph.h"
#include "model/timestep_runner.h"

namespace rondo {

// Holds all that one thread needs to run a batch: buffers at fixed addresses and the elements that are bound to them.
struct Workspace {
  struct Sizes {
    size_t batch_size;     // the largest
    size_t output_floats;  // of the head
    size_t timesteps;      // that one sequence runs at once
  };

  // Null: out of memory. kernels: one a node of `graph`.
  static std::unique_ptr<Workspace> Make(const Graph& graph, const std::vector<std::unique_ptr<ElementKernel>>& kernels,
                                         const Sizes& sizes);

  AlignedBuffer features;                               // [batch_size][width of the graph's input]
  std::vector<AlignedBuffer> values;                    // what each node answers: [batch_size][its width]
  std::vector<std::unique_ptr<BoundElement>> elements;  // one a node
  // The rows that want an output: their places in the batch, raw inputs and what the graph answers. Room for
  // batch_size.
  std::vector<size_t> places;
  std::vector<const float*> inputs;
  std::vector<const float*> answers;
  AlignedBuffer outputs;                      // [output_floats]
  std::unique_ptr<TimestepRunner> timesteps;  // null: the network takes one timestep at a time
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
  Mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> idle_ ABSL_GUARDED_BY(mutex_);
  size_t in_use_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rondo

#endif  // RONDO_MODEL_WORKSPACE_H_
