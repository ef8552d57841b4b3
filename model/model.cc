#include "model/model.h"

#include <utility>

#include "model/fingerprint.h"
#include "model/model_file.h"

namespace rondo {

absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, std::string name, int64_t version,
                                                       const Network::Options& options) {
  absl::StatusOr<ModelFile> file = ReadModelFile(path);
  if (!file.ok()) return file.status();
  const uint64_t fingerprint = FingerprintOf(file->spec, file->weights);
  absl::StatusOr<std::unique_ptr<Network>> network =
      Network::Create(std::move(file->spec), std::move(file->weights), options);
  if (!network.ok()) return network.status();
  auto model = std::make_shared<Model>();
  model->graph_fingerprint = GraphFingerprintOf((*network)->spec());
  model->name = std::move(name);
  model->version = version;
  model->fingerprint = fingerprint;
  model->network = *std::move(network);
  return model;
}

}  // namespace rondo
