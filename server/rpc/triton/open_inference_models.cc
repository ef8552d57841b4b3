#include "server/rpc/triton/open_inference_models.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/rpc/triton/open_inference_tensors.h"

namespace rondo {
namespace {

constexpr char kPlatform[] = "rondo";
constexpr int kMaxBatchSize = 1;

absl::StatusOr<ServedModelPtr> Find(const ModelRegistry& registry, const std::string& name, const std::string& text) {
  int64_t version = 0;
  if (absl::Status status = ReadVersion(text, &version); !status.ok()) return status;
  return registry.Find(name, version);
}

inference::DataType InputType(const ModelSpec& spec) {
  return spec.tokens > 0 ? inference::TYPE_INT64 : inference::TYPE_FP32;
}

void AddTensor(absl::string_view name, absl::string_view datatype, int64_t width,
               inference::ModelMetadataResponse::TensorMetadata* tensor) {
  tensor->set_name(std::string(name));
  tensor->set_datatype(std::string(datatype));
  tensor->add_shape(-1);
  tensor->add_shape(width);
}

template <typename Tensor>
void AddTensor(absl::string_view name, inference::DataType type, int64_t width, Tensor* tensor) {
  tensor->set_name(std::string(name));
  tensor->set_data_type(type);
  tensor->add_dims(width);
}

void ToProto(const CountAndTime& total, inference::StatisticDuration* duration) {
  duration->set_count(total.count);
  duration->set_ns(total.nanoseconds);
}

void ToProto(const ServedModel& model, inference::ModelStatistics* proto) {
  const ModelTotals totals = model.metrics->Totals();
  proto->set_name(model.model->name);
  proto->set_version(absl::StrCat(model.model->version));
  proto->set_last_inference(static_cast<uint64_t>(totals.last_batch_ms));
  proto->set_inference_count(totals.compute.count);
  proto->set_execution_count(totals.batches);
  inference::InferStatistics* const stats = proto->mutable_inference_stats();
  ToProto(totals.succeeded, stats->mutable_success());
  ToProto(totals.failed, stats->mutable_fail());
  ToProto(totals.queue, stats->mutable_queue());
  ToProto(totals.compute, stats->mutable_compute_infer());
  // The kernel reads a request's floats where they are and writes the reply's: nothing to measure apart from it.
  ToProto({totals.compute.count, 0}, stats->mutable_compute_input());
  ToProto({totals.compute.count, 0}, stats->mutable_compute_output());
  stats->mutable_cache_hit();
  stats->mutable_cache_miss();
}

}  // namespace

absl::Status AnswerModelReady(const ModelRegistry& registry, const inference::ModelReadyRequest& request,
                              inference::ModelReadyResponse* response) {
  const absl::StatusOr<ServedModelPtr> model = Find(registry, request.name(), request.version());
  if (absl::IsInvalidArgument(model.status())) return model.status();
  response->set_ready(model.ok());
  return absl::OkStatus();
}

absl::Status AnswerModelMetadata(const ModelRegistry& registry, const inference::ModelMetadataRequest& request,
                                 inference::ModelMetadataResponse* response) {
  const absl::StatusOr<ServedModelPtr> found = Find(registry, request.name(), request.version());
  if (!found.ok()) return found.status();
  const Model& model = *(*found)->model;
  const ModelSpec& spec = model.spec();
  response->set_name(model.name);
  response->set_platform(kPlatform);
  for (const ServedModelPtr& other : registry.List()) {
    if (other->model->name == model.name) response->add_versions(absl::StrCat(other->model->version));
  }
  AddTensor(kInputTensor, spec.tokens > 0 ? "INT64" : "FP32", spec.input_size(), response->add_inputs());
  if (spec.needs_times()) AddTensor(kTimesTensor, "INT64", 1, response->add_inputs());
  AddTensor(kOutputTensor, "FP32", spec.output_size(), response->add_outputs());
  return absl::OkStatus();
}

absl::Status AnswerModelConfig(const ModelRegistry& registry, const inference::ModelConfigRequest& request,
                               inference::ModelConfigResponse* response) {
  const absl::StatusOr<ServedModelPtr> found = Find(registry, request.name(), request.version());
  if (!found.ok()) return found.status();
  const ModelSpec& spec = (*found)->spec();
  inference::ModelConfig* const config = response->mutable_config();
  config->set_name((*found)->model->name);
  config->set_platform(kPlatform);
  config->set_backend(kPlatform);
  config->set_max_batch_size(kMaxBatchSize);
  AddTensor(kInputTensor, InputType(spec), spec.input_size(), config->add_input());
  if (spec.needs_times()) AddTensor(kTimesTensor, inference::TYPE_INT64, 1, config->add_input());
  AddTensor(kOutputTensor, inference::TYPE_FP32, spec.output_size(), config->add_output());
  config->mutable_sequence_batching()->mutable_oldest();
  return absl::OkStatus();
}

absl::Status AnswerModelStatistics(const ModelRegistry& registry, const inference::ModelStatisticsRequest& request,
                                   inference::ModelStatisticsResponse* response) {
  if (!request.name().empty()) {
    const absl::StatusOr<ServedModelPtr> found = Find(registry, request.name(), request.version());
    if (!found.ok()) return found.status();
    if (!request.version().empty()) {
      ToProto(**found, response->add_model_stats());
      return absl::OkStatus();
    }
  }
  for (const ServedModelPtr& model : registry.List()) {
    if (request.name().empty() || model->model->name == request.name()) ToProto(*model, response->add_model_stats());
  }
  return absl::OkStatus();
}

absl::Status AnswerRepositoryIndex(const ModelRegistry& registry, const inference::RepositoryIndexRequest& request,
                                   inference::RepositoryIndexResponse* response) {
  for (const ModelRegistry::Known& model : registry.ListKnown()) {
    const bool is_live = model.served != nullptr;
    if (request.ready() && !is_live) continue;
    auto* const entry = response->add_models();
    entry->set_name(model.name);
    entry->set_version(absl::StrCat(model.version));
    entry->set_state(is_live ? "READY" : "UNAVAILABLE");
    entry->set_reason(std::string(model.failure.message()));
  }
  return absl::OkStatus();
}

}  // namespace rondo
