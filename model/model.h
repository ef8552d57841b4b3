#ifndef RONDO_MODEL_MODEL_H_
#define RONDO_MODEL_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "model/network.h"

namespace rondo {

// A model ready to serve: a network under one name and one version. Immutable; any thread.
struct Model {
  std::string name;
  int64_t version = 0;
  uint64_t fingerprint = 0;  // FingerprintOf spec and weights: two models of one fingerprint compute equal results
  std::unique_ptr<const Network> network;
  uint64_t graph_fingerprint = 0;  // GraphFingerprintOf the spec

  const ModelSpec& spec() const { return network->spec(); }
};

// Reads the file and prepares the network. Errors as ReadModelFile and Network::Create.
absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, std::string name, int64_t version,
                                                       const Network::Options& options);

}  // namespace rondo

#endif  // RONDO_MODEL_MODEL_H_
