#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"

namespace rondo {
namespace {

std::string InputNames(const ModelDescription& model) {
  std::string names = model.tokens > 0 ? absl::StrCat("token<", model.tokens) : absl::StrJoin(model.inputs, " ");
  return model.needs_times ? absl::StrCat(names, " time") : names;
}

// Empty of a model that could not be loaded.
std::string Deterministic(const ModelDescription& model) {
  if (model.kernel.empty()) return "";
  return model.deterministic ? "yes" : "no";
}

absl::Status List(const CommandContext& context) {
  const absl::StatusOr<std::vector<ModelDescription>> models = context.client.ListModels();
  if (!models.ok()) return models.status();
  absl::Status status =
      context.output.Row({"model", "version", "cell", "num_layers", "hidden_size", "inputs", "outputs", "horizon",
                          "head", "kernel", "deterministic", "quantiles", "state", "reason"});
  for (const ModelDescription& model : *models) {
    if (!status.ok()) return status;
    status = context.output.Row({model.name, absl::StrCat(model.version), model.cell, absl::StrCat(model.num_layers),
                                 absl::StrCat(model.hidden_size), InputNames(model), absl::StrJoin(model.outputs, " "),
                                 absl::StrCat(model.horizon), model.head, model.kernel, Deterministic(model),
                                 absl::StrJoin(model.quantiles, " "), model.state, model.reason});
  }
  return status.ok() ? context.output.Flush() : status;
}

absl::Status ShowGraph(const CommandContext& context, const std::string& name) {
  const absl::StatusOr<ModelDescription> model = context.client.GetModel(name);
  if (!model.ok()) return model.status();
  absl::Status status = context.output.Row(
      {"element", "type", "of", "channels", "length", "parameters", "state", "kernel", "attributes"});
  for (const ElementDescription& element : model->elements) {
    if (!status.ok()) return status;
    status =
        context.output.Row({element.name, element.type, absl::StrJoin(element.of, " "), absl::StrCat(element.channels),
                            absl::StrCat(element.length), absl::StrCat(element.parameters),
                            absl::StrCat(element.state_size), element.kernel, element.attributes});
  }
  return status.ok() ? context.output.Flush() : status;
}

}  // namespace

Command ModelsCommand() {
  auto graph = std::make_shared<std::string>();
  return {
      "models",
      {},
      {{"graph", Text(graph.get(), "NAME"), "The elements of this model's network instead, one a row."}},
      "What the server has loaded, as CSV.",
      "examples:\n  rondo models | column -s, -t\n  rondo models --graph=mymodel\n",
      [graph](const CommandContext& context) { return graph->empty() ? List(context) : ShowGraph(context, *graph); }};
}

}  // namespace rondo
