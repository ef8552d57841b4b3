#ifndef RONDO_CLIENT_CLI_COMMANDS_H_
#define RONDO_CLIENT_CLI_COMMANDS_H_

#include "absl/status/status.h"
#include "client/cli/arguments.h"
#include "client/cli/csv_writer.h"
#include "client/client.h"

namespace rondo {

// Every command, its flags and its help.
const ProgramSpec& RondoProgram();

// What a command works with. Rows go to `output`; remarks to stderr, if that is a terminal.
struct CommandContext {
  const Client& client;
  const Invocation& invocation;
  CsvWriter& output;
  bool stderr_is_terminal = false;
  bool stdout_is_terminal = false;
};

// Runs one command to its end. CANCELLED: interrupted, or nobody reads the output. Else what the server or the input
// was refused for.
absl::Status RunModels(const CommandContext& context);
absl::Status RunPredict(const CommandContext& context);
absl::Status RunStream(const CommandContext& context);
absl::Status RunForecast(const CommandContext& context);
absl::Status RunSessionsList(const CommandContext& context);
absl::Status RunSessionsShow(const CommandContext& context);
absl::Status RunSessionsDelete(const CommandContext& context);
absl::Status RunSessionsExport(const CommandContext& context);
absl::Status RunSessionsImport(const CommandContext& context);
absl::Status RunSessionsFork(const CommandContext& context);

// The one of `context.invocation`.
absl::Status RunCommand(const CommandContext& context);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_COMMANDS_H_
