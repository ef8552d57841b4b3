#ifndef RONDO_CLIENT_CLI_COMMANDS_H_
#define RONDO_CLIENT_CLI_COMMANDS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/option_table.h"
#include "client/cli/csv_writer.h"
#include "client/client.h"

namespace rondo {

// What a command works with. Rows go to `output`; remarks to stderr, if that is a terminal.
struct CommandContext {
  const Client& client;
  const std::vector<std::string>& words;  // one for each of Command::words
  CsvWriter& output;
  bool stderr_is_terminal = false;
  bool stdout_is_terminal = false;
};

struct Command {
  std::string name;                // one or two words: "predict", "sessions list"
  std::vector<std::string> words;  // what must follow the name: "MODEL"
  std::vector<Option> options;
  std::string summary;      // a line
  std::string description;  // paragraphs and examples
  // Runs to the end; owns the variables of `options`. CANCELLED: interrupted, or nobody reads the output. Other errors:
  // what the server or the input was refused for.
  std::function<absl::Status(const CommandContext& context)> run;
};

// The program's exit code where it is not 1: an error of a command has it with it.
inline constexpr int kAnewExitCode = 3;  // a session would begin anew
absl::Status ExitsWith(int exit_code, absl::Status error);
int ExitCodeOf(const absl::Status& error);

// Every command is made by a function, declared and listed here: all that a new one needs besides its own file.
Command ModelsCommand();
Command PredictCommand();
Command StreamCommand();
Command ForecastCommand();
Command GenerateCommand();
Command SessionsCreateCommand();
Command SessionsListCommand();
Command SessionsShowCommand();
Command SessionsDeleteCommand();
Command SessionsDeleteManyCommand();
Command SessionsExportCommand();
Command SessionsImportCommand();
Command SessionsForkCommand();

using MakeCommand = Command (*)();
inline constexpr MakeCommand kCommands[] = {
    ModelsCommand,         PredictCommand,        StreamCommand,       ForecastCommand,       GenerateCommand,
    SessionsCreateCommand, SessionsListCommand,   SessionsShowCommand, SessionsDeleteCommand, SessionsDeleteManyCommand,
    SessionsExportCommand, SessionsImportCommand, SessionsForkCommand,
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_COMMANDS_H_
