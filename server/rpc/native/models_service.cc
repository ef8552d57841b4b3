// rondo.v1.Models.
#include <algorithm>
#include <string>

#include "model/network_table.h"
#include "server/rpc/call/unary_method.h"
#include "server/rpc/native/services.h"

namespace rondo {
namespace {

void ToProto(const TableFormat& table, v1::Table* proto) {
  proto->set_delimiter(std::string(1, table.delimiter));
  proto->set_decimal(std::string(1, table.decimal));
  if (table.thousands != '\0') proto->set_thousands(std::string(1, table.thousands));
  for (const std::string& text : table.missing_values) proto->add_missing_values(text);
  proto->set_time(table.time_column);
  proto->set_time_format(table.time_format);
  proto->set_time_zone(table.time_zone);
  proto->set_step(StepText(table.step));
  proto->set_series(table.series_column);
  proto->set_missing(std::string(MissingName(table.missing)));
  proto->set_season(table.season);
  for (const ColumnUnit& unit : table.units) {
    v1::ColumnUnit* added = proto->add_units();
    added->set_column(unit.column);
    added->set_series(unit.series);
    added->set_offset(unit.offset);
    added->set_scale(unit.scale);
  }
}

// Says nothing if each input is the number in the column of its name.
void SourcesToProto(const ModelSpec& spec, v1::Model* proto) {
  const auto is_plain = [](const InputFeature& input) {
    return input.source.column.empty() && input.source.category.empty() && input.source.ahead == 0;
  };
  if (std::all_of(spec.inputs.begin(), spec.inputs.end(), is_plain)) return;
  for (const InputFeature& input : spec.inputs) {
    v1::InputSource* source = proto->add_input_sources();
    source->set_column(input.source.column.empty() ? input.name : input.source.column);
    source->set_category(input.source.category);
    source->set_ahead(static_cast<int32_t>(input.source.ahead));
  }
}

void ToProto(const Model& model, v1::Model* proto) {
  const ModelSpec& spec = model.spec();
  proto->set_cell(std::string(spec.network_kind()));
  proto->set_num_layers(static_cast<int32_t>(spec.num_layers));
  proto->set_hidden_size(static_cast<int32_t>(spec.hidden_size));
  proto->set_input_size(static_cast<int32_t>(spec.input_size()));
  proto->set_output_size(static_cast<int32_t>(spec.output_size()));
  for (const InputFeature& input : spec.inputs) proto->add_inputs(input.name);
  SourcesToProto(spec, proto);
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
  ToProto(spec.table, proto->mutable_table());
  proto->set_kernel(model.network->kernel_name());
  proto->set_deterministic(model.network->deterministic());
  proto->set_weights(WeightFormatName(model.network->weights()));
  proto->set_whole_sequence(spec.whole_sequence());
  for (const NetworkTableRow& row : NetworkTable(*model.network)) {
    v1::Element* element = proto->add_elements();
    element->set_name(row.name);
    element->set_type(row.type);
    for (const std::string& of : row.of) element->add_of(of);
    element->set_attributes(row.attributes);
    element->set_channels(static_cast<int32_t>(row.output.channels));
    element->set_length(static_cast<int32_t>(row.output.length));
    element->set_parameters(row.parameters);
    element->set_state_size(static_cast<int32_t>(row.state_size));
    element->set_kernel(row.kernel);
  }
}

void ToProto(const ModelRegistry::Known& known, v1::Model* proto) {
  proto->set_name(known.name);
  proto->set_version(known.version);
  proto->set_state(known.served != nullptr ? "ready" : "unavailable");
  proto->set_reason(std::string(known.failure.message()));
  if (known.served != nullptr) ToProto(*known.served->model, proto);
}

absl::Status Get(const RpcContext& context, const v1::GetModelRequest& request, v1::Model* response) {
  absl::StatusOr<ServedModelPtr> model = context.registry->Find(request.name(), request.version());
  if (!model.ok()) return model.status();
  ModelRegistry::Known found{(*model)->model->name, (*model)->model->version, *model, absl::OkStatus()};
  for (const ModelRegistry::Known& known : context.registry->ListKnown()) {
    if (known.served == *model) found.failure = known.failure;
  }
  ToProto(found, response);
  if (const auto& vocabulary = (*model)->spec().vocabulary; vocabulary != nullptr) {
    for (const std::string& text : vocabulary->texts()) response->add_vocabulary(text);
  }
  return absl::OkStatus();
}

absl::Status List(const RpcContext& context, v1::ListModelsResponse* response) {
  for (const ModelRegistry::Known& known : context.registry->ListKnown()) ToProto(known, response->add_models());
  return absl::OkStatus();
}

}  // namespace

void ServeModels(const RpcContext* context, HeadersFirst<v1::Models>* service) {
  using Service = v1::Models::Service;
  ServeUnary(context, service, "ListModels", &Service::ListModels,
             [context](const auto&, auto* response) { return List(*context, response); });
  ServeUnary(context, service, "GetModel", &Service::GetModel,
             [context](const auto& request, auto* response) { return Get(*context, request, response); });
}

}  // namespace rondo
