#ifndef RONDO_MODEL_CONVERT_TORCH_MODULE_H_
#define RONDO_MODEL_CONVERT_TORCH_MODULE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/layers.h"
#include "model/convert/torch/weight_file.h"

namespace rondo::convert {

// One PyTorch module with weights, as the names and shapes of its tensors show it.
struct Module {
  enum class Kind { kCell, kDense, kVector, kBatchNorm, kConvolution, kInitialState };

  std::string name;  // "rnn", "head.1"; empty: the network itself
  Kind kind = Kind::kDense;
  std::map<std::string, const Array*> tensors;  // by the last part of their name: "weight", "bias_hh_l0"

  const Array* Find(const std::string& tensor) const;
  int64_t layers() const;        // of a cell
  bool both_directions() const;  // of a cell
  int64_t gates() const;         // of a cell: 4, 3, 1; 0: none of these
  int64_t input_size() const;    // 0: any
  int64_t output_size() const;
};

// Groups the tensors by module, in the file's order. INVALID_ARGUMENT names the tensor that is part of no module that
// is known, and what would be.
absl::StatusOr<std::vector<Module>> FindModules(const WeightFile& file);

// The weights of one layer and direction. `suffix`: "_l0", "_l1_reverse", or "" of an LSTMCell.
CellWeights LayerWeights(const Module& module, const std::string& suffix);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_MODULE_H_
