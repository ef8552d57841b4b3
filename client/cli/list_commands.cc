#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"

namespace rondo {
namespace {

absl::Status WriteSessionHeader(CsvWriter* output) {
  return output->Row({"session", "model", "version", "position", "idle_seconds", "idle_timeout_seconds"});
}

absl::Status WriteSession(const SessionDescription& session, CsvWriter* output) {
  return output->Row({session.session_id, session.model, absl::StrCat(session.version), absl::StrCat(session.position),
                      DoubleText(absl::ToDoubleSeconds(session.idle)),
                      session.idle_timeout == absl::InfiniteDuration()
                          ? "never"
                          : DoubleText(absl::ToDoubleSeconds(session.idle_timeout))});
}

std::string InputNames(const ModelDescription& model) {
  std::string names = model.tokens > 0 ? absl::StrCat("token<", model.tokens) : absl::StrJoin(model.inputs, " ");
  return model.needs_times ? absl::StrCat(names, " time") : names;
}

}  // namespace

absl::Status RunModels(const CommandContext& context) {
  const absl::StatusOr<std::vector<ModelDescription>> models = context.client.ListModels();
  if (!models.ok()) return models.status();
  absl::Status status = context.output.Row(
      {"model", "version", "cell", "num_layers", "hidden_size", "inputs", "outputs", "horizon", "head", "kernel"});
  for (const ModelDescription& model : *models) {
    if (!status.ok()) return status;
    status = context.output.Row({model.name, absl::StrCat(model.version), model.cell, absl::StrCat(model.num_layers),
                                 absl::StrCat(model.hidden_size), InputNames(model), absl::StrJoin(model.outputs, " "),
                                 absl::StrCat(model.horizon), model.head, model.kernel});
  }
  return status.ok() ? context.output.Flush() : status;
}

absl::Status RunSessionsList(const CommandContext& context) {
  constexpr int kPageSize = 1000;
  const std::string model = context.invocation.Flag("model").value_or("");
  std::string page_token;
  absl::Status status;
  for (bool first = true; status.ok() && (first || !page_token.empty()); first = false) {
    absl::StatusOr<SessionPage> page = context.client.ListSessions(model, page_token, kPageSize);
    if (!page.ok()) return page.status();
    if (first) status = WriteSessionHeader(&context.output);
    for (const SessionDescription& session : page->sessions) {
      if (status.ok()) status = WriteSession(session, &context.output);
    }
    page_token = page->next_page_token;
  }
  return status.ok() ? context.output.Flush() : status;
}

absl::Status RunSessionsShow(const CommandContext& context) {
  const absl::StatusOr<SessionDescription> session = context.client.GetSession(context.invocation.positionals[0]);
  if (!session.ok()) return session.status();
  absl::Status status = WriteSessionHeader(&context.output);
  if (status.ok()) status = WriteSession(*session, &context.output);
  return status.ok() ? context.output.Flush() : status;
}

absl::Status RunSessionsDelete(const CommandContext& context) {
  return context.client.DeleteSession(context.invocation.positionals[0]);
}

}  // namespace rondo
