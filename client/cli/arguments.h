#ifndef RONDO_CLIENT_CLI_ARGUMENTS_H_
#define RONDO_CLIENT_CLI_ARGUMENTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// The words of a command line, told apart by tables of what there is. Not absl flags: those are one set for the whole
// process, so every command would take every other's flags.

enum class FlagKind {
  kText,
  kCount,   // a whole number, 1..2147483647
  kSwitch,  // no value: it is there or not
};

struct FlagSpec {
  absl::string_view name;         // without dashes
  absl::string_view placeholder;  // of its value, for the help: "FILE|-"; empty for a switch
  absl::string_view help;
  bool required = false;
  FlagKind kind = FlagKind::kText;
};

struct CommandSpec {
  absl::string_view name;                      // one or two words: "predict", "sessions list"
  std::vector<absl::string_view> positionals;  // names; each is required
  std::vector<FlagSpec> flags;
  absl::string_view summary;      // a line
  absl::string_view description;  // paragraphs and examples
};

struct ProgramSpec {
  absl::string_view name;
  absl::string_view summary;
  std::vector<FlagSpec> flags;  // taken anywhere on the line
  std::vector<CommandSpec> commands;
  absl::string_view notes;  // at the end of the whole help
};

// One command line. Points into the ProgramSpec.
struct Invocation {
  const CommandSpec* command = nullptr;  // null: only with `help`
  bool help = false;
  std::vector<std::string> positionals;  // as many as the command has
  std::map<std::string, std::string, std::less<>> flags;

  std::optional<std::string> Flag(absl::string_view name) const;
  bool Has(absl::string_view name) const { return flags.find(name) != flags.end(); }
};

// `arguments` without the program's name. Takes --flag=VALUE, --flag VALUE, --help or -h anywhere, "help [COMMAND]",
// and
// "--" before words that start with a dash. The last of a repeated flag holds. INVALID_ARGUMENT: what is wrong with
// the line, and the nearest word that there is.
absl::StatusOr<Invocation> ParseArguments(const ProgramSpec& program, absl::Span<const std::string> arguments);

// Of one command, or with null of the whole program.
std::string HelpText(const ProgramSpec& program, const CommandSpec* command);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_ARGUMENTS_H_
