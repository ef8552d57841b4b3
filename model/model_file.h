#ifndef RONDO_MODEL_MODEL_FILE_H_
#define RONDO_MODEL_MODEL_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {

struct ModelFile {
  ModelSpec spec;
  Weights weights;
};

// Reads a whole model: a .safetensors file with PyTorch's tensor names and layouts and, in its `__metadata__` under the
// key `rondo` or beside it as NAME.json, what tensors cannot say (README.md here has the format).
//
// The file is hostile until checked: nothing is allocated that it only announces, and a file that is replaced or
// truncated meanwhile gives an error, never a crash. Messages name the rule, the tensor or the key, never the path.
// NOT_FOUND: no such file. DATA_LOSS: not a well-formed model; what came and what was wanted.
absl::StatusOr<ModelFile> ReadModelFile(const std::string& path);

// Writes `model` as one .safetensors file, atomically: a reader sees the old file or the new one, and a failure leaves
// the old one. INVALID_ARGUMENT: spec or sizes. RESOURCE_EXHAUSTED: no space. PERMISSION_DENIED, NOT_FOUND: the folder.
absl::Status WriteModelFile(const ModelFile& model, const std::string& path);

}  // namespace rondo

#endif  // RONDO_MODEL_MODEL_FILE_H_
