#ifndef RONDO_MODEL_TENSOR_NAMES_H_
#define RONDO_MODEL_TENSOR_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/network/graph.h"
#include "model/safetensors_header.h"

namespace rondo {

// The tensors of a file, told apart by name alone.
struct TensorNames {
  // The tensors that the file has, borrowed, by TensorSlot::name. A missing one shows when its slot is looked up.
  std::map<std::string, const TensorInfo*> by_slot;
  std::string recurrent_prefix;  // "rnn." or whatever the file says before weight_ih_l0
  int64_t num_layers = 0;        // 1 + the highest layer index

  // The name that `slot` has, or would have, in this file.
  std::string NameInFile(const std::string& slot) const;
};

// Names as PyTorch's state_dict has them:
//   PREFIX weight_ih_l{k}, weight_hh_l{k}, bias_ih_l{k}, bias_hh_l{k}: the recurrent layers, one prefix for all
//   X.weight with X.bias: the head, whatever X is
//   X.weight without X.bias: the embedding, whatever X is; token models only
// DATA_LOSS: a second prefix, head or embedding, a projection (weight_hr), a backward layer (_reverse), a tensor that
// is none of these, or no head, head bias or embedding; each by name.
absl::StatusOr<TensorNames> MatchTensorNames(const std::vector<TensorInfo>& tensors, bool is_token_model);

// Names as a graph has them: ELEMENT.SLOT. DATA_LOSS: a tensor that no element takes.
absl::StatusOr<TensorNames> MatchGraphTensors(const std::vector<TensorInfo>& tensors, const Graph& graph);

}  // namespace rondo

#endif  // RONDO_MODEL_TENSOR_NAMES_H_
