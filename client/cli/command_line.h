#ifndef RONDO_CLIENT_CLI_COMMAND_LINE_H_
#define RONDO_CLIENT_CLI_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/option_table.h"
#include "client/cli/commands.h"
#include "client/flags/connection_flags.h"

namespace rondo {

// A command line of rondo: options of its own, anywhere on the line; a command's name; the command's options and words.
class CommandLine {
 public:
  explicit CommandLine(const std::string& default_server);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // Reading this table fills what follows here. From the command's name on it is the command's table.
  OptionTable& table() { return table_; }

  // REQUIRES: the table was read, and asks to run.
  const Command& command() const { return *command_; }
  const std::vector<std::string>& words() const { return words_; }

  const std::string& server() const { return server_; }
  absl::Duration timeout() const { return timeout_; }
  const ConnectionFlags& connection() const { return connection_; }
  const std::vector<Command>& commands() const { return commands_; }

 private:
  absl::StatusOr<CommandLineAsks> TakeWord(const std::string& word);
  void Choose(const Command& command);
  std::vector<std::string> CommandNames() const;
  absl::Status CheckComplete() const;

  std::vector<Command> commands_;
  std::string server_;
  absl::Duration timeout_ = ClientOptions().timeout;
  ConnectionFlags connection_;
  OptionTable table_;
  std::string group_;  // the first word of a command of two
  const Command* command_ = nullptr;
  std::vector<std::string> words_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_COMMAND_LINE_H_
