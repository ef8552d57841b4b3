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
  // How far weights that are not of float32 take the answers from those that are known (ErrorOf); 0 for float32.
  double weights_error = 0;

  const ModelSpec& spec() const { return network->spec(); }
};

// The most that Model::weights_error may be.
inline constexpr double kMostWeightsError = 0.05;

// Reads the file and prepares the network. If its weights are not held as float32, the answers to the sequence of the
// description's `accuracy`, or to one that MakeQuestions makes, must be nearly those of float32. Errors as
// ReadModelFile and Network::Create; INVALID_ARGUMENT: the answers are too far off. A thread calls PrepareComputeThread
// first.
absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, std::string name, int64_t version,
                                                       const Network::Options& options);

}  // namespace rondo

#endif  // RONDO_MODEL_MODEL_H_
