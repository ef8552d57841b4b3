#include "server/rpc/native/models_service.h"

#include <string>

#include "server/rpc/call/unary_method.h"

namespace rondo {
namespace {

void ToProto(const Model& model, v1::Model* proto) {
  const ModelSpec& spec = model.spec();
  proto->set_name(model.name);
  proto->set_version(model.version);
  proto->set_cell(std::string(CellName(spec.cell)));
  proto->set_num_layers(static_cast<int32_t>(spec.num_layers));
  proto->set_hidden_size(static_cast<int32_t>(spec.hidden_size));
  proto->set_input_size(static_cast<int32_t>(spec.input_size()));
  proto->set_output_size(static_cast<int32_t>(spec.output_size()));
  for (const InputFeature& input : spec.inputs) proto->add_inputs(input.name);
  proto->set_tokens(static_cast<int32_t>(spec.tokens));
  for (const OutputFeature& output : spec.outputs) proto->add_outputs(output.name);
  proto->set_horizon(static_cast<int32_t>(spec.horizon));
  proto->set_head(std::string(HeadName(spec.head)));
  for (const double quantile : spec.quantiles) proto->add_quantiles(quantile);
  proto->set_needs_times(spec.needs_times());
  for (const FeedbackLink& link : spec.feedback) {
    v1::Feedback* feedback = proto->add_feedback();
    feedback->set_output(link.output);
    feedback->set_input(link.input);
  }
  proto->set_step_seconds(spec.step_seconds);
  proto->set_kernel(model.network->kernel_name());
}

absl::Status Get(const RpcContext& context, const v1::GetModelRequest& request, v1::Model* response) {
  absl::StatusOr<ServedModelPtr> model = context.registry->Find(request.name(), request.version());
  if (!model.ok()) return model.status();
  ToProto(*(*model)->model, response);
  return absl::OkStatus();
}

absl::Status List(const RpcContext& context, v1::ListModelsResponse* response) {
  for (const ServedModelPtr& model : context.registry->List()) ToProto(*model->model, response->add_models());
  return absl::OkStatus();
}

}  // namespace

void ServeModels(const RpcContext* context, v1::Models::AsyncService* service) {
  using Service = v1::Models::AsyncService;
  ServeUnary(context, service, &Service::RequestListModels,
             [context](const auto&, auto* response) { return List(*context, response); });
  ServeUnary(context, service, &Service::RequestGetModel,
             [context](const auto& request, auto* response) { return Get(*context, request, response); });
}

}  // namespace rondo
