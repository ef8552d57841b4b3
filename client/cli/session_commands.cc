#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/whole_file.h"

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

struct CreateOptions {
  CreateSessionInput session;
  InitialState state;
  std::string state_file;  // empty: none
};

absl::Status Create(const CommandContext& context, const CreateOptions& options) {
  CreateSessionInput input = options.session;
  input.model = context.words[0];
  InitialState state = options.state;
  if (!options.state_file.empty()) {
    absl::StatusOr<std::string> bytes = ReadBytes(options.state_file, kMaxStateBytes);
    if (!bytes.ok()) return bytes.status();
    state.exported = *std::move(bytes);
  }
  const bool begins_elsewhere = !options.state_file.empty() || !state.session_id.empty();
  if (!begins_elsewhere && !state.elements.empty()) {
    return absl::InvalidArgumentError("--elements: wanted --initial_session or --initial_state with it");
  }
  if (begins_elsewhere) input.initial_state = std::move(state);
  return WriteOne(context.client.CreateSession(input), &context.output);
}

absl::Status List(const CommandContext& context, const std::string& model) {
  constexpr int kPageSize = 1000;
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

absl::Status Export(const CommandContext& context, const std::string& path) {
  const std::string& id = context.words[0];
  if (path == "-" && context.stdout_is_terminal) {
    return absl::InvalidArgumentError("--output=- is a terminal, and a state is not text; give a file or a pipe");
  }
  const absl::StatusOr<ExportedSession> exported = context.client.ExportSession(id);
  if (!exported.ok()) return exported.status();
  if (absl::Status status = WriteBytes(path, exported->state); !status.ok()) return status;
  if (context.stderr_is_terminal) {
    std::fprintf(stderr, "session '%s' at %lld: %zu bytes\n", id.c_str(),
                 static_cast<long long>(exported->session.position), exported->state.size());
  }
  return absl::OkStatus();
}

absl::Status Import(const CommandContext& context, const std::string& id) {
  const absl::StatusOr<std::string> state = ReadBytes(context.words[0], kMaxStateBytes);
  if (!state.ok()) return state.status();
  return WriteOne(context.client.ImportSession(*state, id), &context.output);
}

}  // namespace

Command SessionsCreateCommand() {
  auto options = std::make_shared<CreateOptions>();
  return {"sessions create",
          {"MODEL"},
          {{"session", Text(&options->session.session_id, "ID"), "The session's id; else one of the server's."},
           {"initial_session", Text(&options->state.session_id, "ID"),
            "A session of another model, whose state this one begins with."},
           {"initial_state", Text(&options->state_file, "FILE|-"), "Likewise, a state that was exported."},
           {"elements", TextList(&options->state.elements, "NAMES"),
            "The elements whose state is taken over; without it all of both models."}},
          "A new session, such as one that begins where another model's stands, as CSV.",
          R"(A session that begins where its model does needs no creating: its first step makes it. A decoder
begins with an encoder's state: elements that keep one are matched by name.

example:
  rondo sessions create speaker --session=spoken --initial_session=read
)",
          [options](const CommandContext& context) { return Create(context, *options); }};
}

Command SessionsListCommand() {
  auto model = std::make_shared<std::string>();
  return {"sessions list",
          {},
          {{"model", Text(model.get(), "NAME"), "Only this model's."}},
          "The live sessions, as CSV.",
          R"(With a session store: those in this server's memory. 'sessions show ID' finds one that is in the
store only.

example:
  rondo sessions list --model=seattle
)",
          [model](const CommandContext& context) { return List(context, *model); }};
}

Command SessionsShowCommand() {
  return {"sessions show",
          {"ID"},
          {},
          "One session, as CSV.",
          "example:\n  rondo sessions show my-town\n",
          [](const CommandContext& context) {
            return WriteOne(context.client.GetSession(context.words[0]), &context.output);
          }};
}

Command SessionsDeleteCommand() {
  return {"sessions delete",
          {"ID"},
          {},
          "End a session.",
          "example:\n  rondo sessions delete my-town\n",
          [](const CommandContext& context) { return context.client.DeleteSession(context.words[0]); }};
}

Command SessionsDeleteManyCommand() {
  struct Options {
    std::string prefix;
    std::string model;
    bool all = false;
  };
  auto options = std::make_shared<Options>();
  return {"sessions delete_many",
          {},
          {{"prefix", Text(&options->prefix, "TEXT"), "Those whose ids begin so."},
           {"model", Text(&options->model, "NAME"), "Only this model's."},
           {"all", Switch(&options->all), "Every session, if neither --prefix nor --model is given."}},
          "End many sessions; prints how many.",
          R"(Ends those of your tenant, also those that are in the server's session store only. A session that
was made on another server a moment ago, and is not in the store yet, is found if that server is
named too.

examples:
  rondo sessions delete_many --prefix=pump-
  rondo sessions delete_many --all
)",
          [options](const CommandContext& context) {
            const absl::StatusOr<int64_t> deleted =
                context.client.DeleteSessions(options->prefix, options->model, options->all);
            if (!deleted.ok()) return deleted.status();
            absl::Status status = context.output.Row({"deleted"});
            if (status.ok()) status = context.output.Row({absl::StrCat(*deleted)});
            return status.ok() ? context.output.Flush() : status;
          }};
}

Command SessionsExportCommand() {
  auto path = std::make_shared<std::string>();
  return {
      "sessions export",
      {"ID"},
      {Required({"output", Text(path.get(), "FILE|-"), "Where the state goes; a file is replaced; '-' is stdout."})},
      "A session's state as bytes.",
      R"(The session stays live. The state has a checksum and names its model; it is neither encrypted nor
signed. A file is replaced only when the whole new state is on disk.

examples:
  rondo sessions export my-town --output=my-town.state
  rondo sessions export my-town --output=- | rondo --server=other:8001 sessions import -
)",
      [path](const CommandContext& context) { return Export(context, *path); }};
}

Command SessionsImportCommand() {
  auto id = std::make_shared<std::string>();
  return {"sessions import",
          {"FILE|-"},
          {{"session", Text(id.get(), "ID"), "The new session's id; else the one it was exported under."}},
          "A new session that goes on from an exported state; printed as CSV.",
          R"(The server must have the model that computed the state, with the same weights. The session goes on
exactly where the exported one stood.

examples:
  rondo sessions import my-town.state
  rondo sessions import my-town.state --session=my-town-yesterday
)",
          [id](const CommandContext& context) { return Import(context, *id); }};
}

Command SessionsForkCommand() {
  auto id = std::make_shared<std::string>();
  return {"sessions fork",
          {"ID"},
          {{"as", Text(id.get(), "NEW_ID"), "The copy's id; else one of the server's."}},
          "A copy of a session that goes on independently; printed as CSV.",
          R"(For what-ifs: feed the copy what might happen, and the session what does.

examples:
  rondo sessions fork my-town --as=if-it-rains
)",
          [id](const CommandContext& context) {
            return WriteOne(context.client.ForkSession(context.words[0], *id), &context.output);
          }};
}

}  // namespace rondo
