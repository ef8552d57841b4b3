#ifndef RONDO_MODEL_CONVERT_TORCH_WEIGHT_FILE_H_
#define RONDO_MODEL_CONVERT_TORCH_WEIGHT_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"

namespace rondo::convert {

struct NamedTensor {
  std::string name;
  Array array;
};

// The weights of a network, without its graph.
struct WeightFile {
  std::vector<NamedTensor> tensors;  // in the file's order; of a state_dict, that in which the modules were made
  std::string description;           // of a model of ours (JSON); empty: the file is none
  std::vector<std::string> modules;  // the names of all modules, also of those without weights; empty: not known
};

// True: the file begins as torch.save's files did before PyTorch 1.6, which were no zip files.
bool IsOldTorchFile(absl::string_view bytes);

// Reads torch.save's files, old and new: a state_dict, a module, or a checkpoint or a TorchScript archive that holds
// one. `key` says under which key of a checkpoint the state_dict lies; empty: it is looked for. Nothing in the file is
// run. DATA_LOSS.
absl::StatusOr<WeightFile> ReadTorchFile(std::string bytes, absl::string_view key);

// Reads NAME.safetensors, or all the files that NAME.safetensors.index.json lists. Errors as SafetensorsReader's.
absl::StatusOr<WeightFile> ReadSafetensorsFiles(const std::string& path);

// Undoes weight_norm: X_g and X_v, or parametrizations.X.original0 and .original1, become X = g * v / |v|.
absl::Status JoinWeightNorms(WeightFile* file);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_WEIGHT_FILE_H_
