#ifndef RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MODELS_H_
#define RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MODELS_H_

#include "absl/status/status.h"
#include "inference/open_inference.pb.h"
#include "server/registry/model_registry.h"

namespace rondo {

// What the Open Inference Protocol says of models. Each fills an empty *response. NOT_FOUND: no such model or version;
// INVALID_ARGUMENT: a version that is no number.
//
// A model is one of sequences, with a batch of one: clients drop the leading dimension of a tensor as the batch, here
// it is the timesteps. So perf_analyzer, which sends one, sends one timestep and needs no shape told.

// Says whether a model is ready; one that is not there is not ready, instead of NOT_FOUND.
absl::Status AnswerModelReady(const ModelRegistry& registry, const inference::ModelReadyRequest& request,
                              inference::ModelReadyResponse* response);
absl::Status AnswerModelMetadata(const ModelRegistry& registry, const inference::ModelMetadataRequest& request,
                                 inference::ModelMetadataResponse* response);
absl::Status AnswerModelConfig(const ModelRegistry& registry, const inference::ModelConfigRequest& request,
                               inference::ModelConfigResponse* response);
// Answers for one version, all versions of a name, or all models. The numbers are the name's, whichever version ran.
absl::Status AnswerModelStatistics(const ModelRegistry& registry, const inference::ModelStatisticsRequest& request,
                                   inference::ModelStatisticsResponse* response);
// Lists the live models, READY, and those that could not be loaded, UNAVAILABLE, with why. A READY one with a reason is
// that of an earlier file.
absl::Status AnswerRepositoryIndex(const ModelRegistry& registry, const inference::RepositoryIndexRequest& request,
                                   inference::RepositoryIndexResponse* response);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TRITON_OPEN_INFERENCE_MODELS_H_
