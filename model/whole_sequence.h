#ifndef RONDO_MODEL_WHOLE_SEQUENCE_H_
#define RONDO_MODEL_WHOLE_SEQUENCE_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "model/feature_encoder.h"
#include "model/network.h"
#include "model/network/graph.h"
#include "model/output_head.h"
#include "model/workspace.h"

namespace rondo {

// The longest sequence that a graph's values may be held for, and how many of the first sequences are run together.
size_t MaxWholeTimesteps(const Graph& graph);
size_t SequencesAtOnce(const Graph& graph, absl::Span<const WholeSequence> sequences);

// Runs whole sequences through a graph, one element after the other: each takes the timesteps in the order that it
// needs, with the kernels that step. Rows are those of the sequences, one after the other, so no padding stands between
// them. Borrows all; immutable.
class WholeSequenceRunner {
 public:
  // padded_batch_size: by number of rows.
  WholeSequenceRunner(const Graph& graph, const FeatureEncoder& encoder, const OutputHead& head,
                      const std::vector<float>& initial_state, const std::vector<size_t>& padded_batch_size)
      : graph_(graph),
        encoder_(encoder),
        head_(head),
        initial_state_(initial_state),
        padded_batch_size_(padded_batch_size) {}

  // Sets each sequence's `finite`.
  void Run(absl::Span<WholeSequence> sequences, Workspace& workspace) const;

 private:
  struct Batch;
  struct Walk;

  void SetClocks(Batch* batch) const;
  void Encode(Batch* batch) const;
  void RunElement(size_t node, Batch* batch) const;
  void RunRows(size_t node, Batch* batch) const;
  std::vector<Walk> WalksOf(size_t node, const Batch& batch) const;
  void RunWalks(size_t node, absl::Span<Walk> walks, Batch* batch) const;
  void RepeatLast(size_t node, Batch* batch) const;
  // Copies what the node takes of timestep `timestep` of a sequence, or zeros, to row `place` of its buffers; and its
  // answer back.
  void LoadInputs(size_t node, size_t sequence, size_t timestep, size_t place, const Batch& batch) const;
  void LoadZeros(size_t node, size_t place, const Batch& batch) const;
  void StoreOutput(size_t node, size_t place, size_t row, Batch* batch) const;
  void WriteOutputs(Batch* batch) const;
  size_t WidthOf(size_t input) const {
    return static_cast<size_t>(input == GraphNode::kInput ? graph_.input().width
                                                          : graph_.nodes()[input].element->output().size());
  }

  const Graph& graph_;
  const FeatureEncoder& encoder_;
  const OutputHead& head_;
  const std::vector<float>& initial_state_;
  const std::vector<size_t>& padded_batch_size_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_WHOLE_SEQUENCE_H_
