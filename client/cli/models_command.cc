#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"

namespace rondo {
namespace {

std::string InputNames(const ModelDescription& model) {
  std::string names = model.tokens > 0 ? absl::StrCat("token<", model.tokens) : absl::StrJoin(model.inputs, " ");
  return model.needs_times ? absl::StrCat(names, " time") : names;
}

absl::Status Run(const CommandContext& context) {
  const absl::StatusOr<std::vector<ModelDescription>> models = context.client.ListModels();
  if (!models.ok()) return models.status();
  absl::Status status = context.output.Row({"model", "version", "cell", "num_layers", "hidden_size", "inputs",
                                            "outputs", "horizon", "head", "kernel", "state", "reason"});
  for (const ModelDescription& model : *models) {
    if (!status.ok()) return status;
    status = context.output.Row({model.name, absl::StrCat(model.version), model.cell, absl::StrCat(model.num_layers),
                                 absl::StrCat(model.hidden_size), InputNames(model), absl::StrJoin(model.outputs, " "),
                                 absl::StrCat(model.horizon), model.head, model.kernel, model.state, model.reason});
  }
  return status.ok() ? context.output.Flush() : status;
}

}  // namespace

Command ModelsCommand() {
  return {"models", {}, {}, "What the server has loaded, as CSV.", "example:\n  rondo models | column -s, -t\n", Run};
}

}  // namespace rondo
