#ifndef RONDO_MODEL_DESCRIBED_MODEL_H_
#define RONDO_MODEL_DESCRIBED_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "model/model_file.h"

namespace rondo {

// These do what ReadModelFile and LoadModel do, for a model and a description in files whose names say nothing of each
// other. `description` is the path of what would be NAME.json; empty: there is none.
absl::StatusOr<ModelFile> ReadModelFile(const std::string& path, const std::string& description);
absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, const std::string& description,
                                                       std::string name, int64_t version,
                                                       const Network::Options& options);

}  // namespace rondo

#endif  // RONDO_MODEL_DESCRIBED_MODEL_H_
