#include "model/model.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "model/described_model.h"
#include "model/fingerprint.h"
#include "model/known_answers.h"
#include "model/model_file.h"

namespace rondo {

namespace {

// What the answers of a network of the spec are to be near to: those that the file knows, or those of float32 weights.
absl::StatusOr<KnownAnswers> Wanted(const ModelSpec& spec, const Weights& weights, Network::Options options) {
  if (!spec.accuracy.outputs.empty()) return spec.accuracy;
  options.weights = WeightFormat::kF32;
  const absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(spec, weights, options);
  if (!network.ok()) return network.status();
  KnownAnswers answers = MakeQuestions(spec);
  if (absl::Status status = Answer(**network, &answers); !status.ok()) return status;
  return answers;
}

absl::StatusOr<double> WeightsError(const Network& network, const absl::StatusOr<KnownAnswers>& wanted) {
  if (!wanted.ok()) return wanted.status();
  const absl::StatusOr<double> error = ErrorOf(network, *wanted);
  if (error.ok() && *error > kMostWeightsError) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "weights held as %s take an answer %.2g of what its output spans away; wanted at most %.2g, or f32",
        WeightFormatName(network.weights()), *error, kMostWeightsError));
  }
  return error;
}

absl::StatusOr<std::shared_ptr<Model>> Prepare(ModelFile file, const Network::Options& options) {
  auto model = std::make_shared<Model>();
  model->fingerprint = FingerprintOf(file.spec, file.weights);
  model->graph_fingerprint = GraphFingerprintOf(file.spec);
  absl::StatusOr<KnownAnswers> wanted = KnownAnswers();
  const bool narrow = options.weights.value_or(file.spec.weights) != WeightFormat::kF32;
  if (narrow) wanted = Wanted(file.spec, file.weights, options);
  absl::StatusOr<std::unique_ptr<Network>> network =
      Network::Create(std::move(file.spec), std::move(file.weights), options);
  if (!network.ok()) return network.status();
  if (narrow && (*network)->weights() != WeightFormat::kF32) {
    const absl::StatusOr<double> error = WeightsError(**network, wanted);
    if (!error.ok()) return error.status();
    model->weights_error = *error;
  }
  model->network = *std::move(network);
  return model;
}

absl::StatusOr<std::shared_ptr<const Model>> Named(absl::StatusOr<ModelFile> file, std::string name, int64_t version,
                                                   const Network::Options& options) {
  if (!file.ok()) return file.status();
  absl::StatusOr<std::shared_ptr<Model>> model = Prepare(*std::move(file), options);
  if (!model.ok()) return model.status();
  (*model)->name = std::move(name);
  (*model)->version = version;
  return *std::move(model);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, std::string name, int64_t version,
                                                       const Network::Options& options) {
  return Named(ReadModelFile(path), std::move(name), version, options);
}

absl::StatusOr<std::shared_ptr<const Model>> LoadModel(const std::string& path, const std::string& description,
                                                       std::string name, int64_t version,
                                                       const Network::Options& options) {
  return Named(ReadModelFile(path, description), std::move(name), version, options);
}

}  // namespace rondo
