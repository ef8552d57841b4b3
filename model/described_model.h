#ifndef RONDO_MODEL_DESCRIBED_MODEL_H_
#define RONDO_MODEL_DESCRIBED_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/model.h"
#include "model/model_file.h"

namespace rondo {

// As ReadModelFile and LoadModel of files whose names say nothing of each other: `description` is what NAME.json would
// be; empty: there is none.
absl::StatusOr<ModelFile> ReadModelFile(const std::string& path, const std::string& description);
absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, const std::string& description,
                                                       std::string name, int64_t version,
                                                       const Network::Options& options);

}  // namespace rondo

#endif  // RONDO_MODEL_DESCRIBED_MODEL_H_
