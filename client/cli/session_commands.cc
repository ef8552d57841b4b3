#include <cstdio>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/state_file.h"

namespace rondo {
namespace {

constexpr size_t kMaxStateBytes = size_t{64} << 20;  // more than any server sends

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

// Writes a table of a header and one row.
absl::Status WriteOne(const absl::StatusOr<SessionDescription>& session, CsvWriter* output) {
  if (!session.ok()) return session.status();
  absl::Status status = WriteSessionHeader(output);
  if (status.ok()) status = WriteSession(*session, output);
  return status.ok() ? output->Flush() : status;
}

}  // namespace

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
  return WriteOne(context.client.GetSession(context.invocation.positionals[0]), &context.output);
}

absl::Status RunSessionsDelete(const CommandContext& context) {
  return context.client.DeleteSession(context.invocation.positionals[0]);
}

absl::Status RunSessionsExport(const CommandContext& context) {
  const std::string path = *context.invocation.Flag("output");
  if (path == "-" && context.stdout_is_terminal) {
    return absl::InvalidArgumentError("--output=- is a terminal, and a state is not text; give a file or a pipe");
  }
  const absl::StatusOr<ExportedSession> exported = context.client.ExportSession(context.invocation.positionals[0]);
  if (!exported.ok()) return exported.status();
  if (absl::Status status = WriteBytes(path, exported->state); !status.ok()) return status;
  if (context.stderr_is_terminal) {
    std::fprintf(stderr, "session '%s' at %lld: %zu bytes\n", context.invocation.positionals[0].c_str(),
                 static_cast<long long>(exported->session.position), exported->state.size());
  }
  return absl::OkStatus();
}

absl::Status RunSessionsImport(const CommandContext& context) {
  const absl::StatusOr<std::string> state = ReadBytes(context.invocation.positionals[0], kMaxStateBytes);
  if (!state.ok()) return state.status();
  return WriteOne(context.client.ImportSession(*state, context.invocation.Flag("session").value_or("")),
                  &context.output);
}

absl::Status RunSessionsFork(const CommandContext& context) {
  return WriteOne(
      context.client.ForkSession(context.invocation.positionals[0], context.invocation.Flag("as").value_or("")),
      &context.output);
}

}  // namespace rondo
