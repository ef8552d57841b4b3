#ifndef RONDO_MODEL_NETWORK_KERNELS_H_
#define RONDO_MODEL_NETWORK_KERNELS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/kernels/layer_kernels.h"
#include "model/model_spec.h"
#include "model/network/element.h"
#include "model/network/graph.h"
#include "model/weights.h"

namespace rondo {

// A network's graph with its weights as kernels read them.
struct NetworkKernels {
  std::shared_ptr<const Graph> graph;
  std::vector<std::unique_ptr<ElementKernel>> elements;  // one a node
  std::vector<size_t> batch_sizes;                       // ascending; all elements run each of them
  std::vector<float> initial_state;                      // [state_size], or empty: zeros
  bool deterministic = true;                             // see LayerKernels
  WeightFormat weights = WeightFormat::kF32;             // of its recurrent layers
  std::string name;                                      // for people
  std::vector<std::string> element_names;                // for people, one a node
  std::string head_name;                                 // for people
};

// The graph that a plain stack is: its cells, of which the last one answers. What is in front of them and behind them,
// encoder and head, is no part of it. REQUIRES: spec.Validate() is OK.
std::shared_ptr<const Graph> GraphOfStack(const ModelSpec& spec);

// REQUIRES: spec.Validate() and CheckWeights are OK. INTERNAL: oneDNN refused, or failed. Throws std::bad_alloc.
absl::StatusOr<NetworkKernels> MakeNetworkKernels(const ModelSpec& spec, const Weights& weights,
                                                  const KernelOptions& options);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_KERNELS_H_
