#ifndef RONDO_BASE_OPTION_TABLE_H_
#define RONDO_BASE_OPTION_TABLE_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/option_value.h"

namespace rondo {

// The options of a program, one row each. A row is all that is said of an option: the reader, the help and the error
// messages follow from it. Its default is what the program's variable holds when the row is made.
//
//   OptionGroup{"Limits", {{"max_sessions", Number(&options.max_sessions, {1, 1 << 20}, "N"), "Most live sessions."}}}

struct Option {
  Option(absl::string_view its_name, OptionValue its_value, absl::string_view its_help)
      : name(its_name), value(std::move(its_value)), help(its_help), default_text(value.text()) {}

  std::string name;   // without dashes
  OptionValue value;  // borrows the program's variable
  std::string help;   // sentences; unit, bounds, choices and default are added to them
  std::string default_text;
  bool required = false;
};

// The row of an option without which the program cannot run.
Option Required(Option option);

struct OptionGroup {
  std::string title;  // what the options are for
  std::vector<Option> options;
};

enum class CommandLineAsks { kRun, kHelp, kVersion };

struct OptionTable {
  std::string program;
  std::string about;  // what the program does and how it is called: the head of the help
  std::vector<OptionGroup> groups;
  std::string notes;  // the end of the help
  // Called when all options are read: checks what they must be together, and derives what follows from them. May be
  // null.
  std::function<absl::Status(const OptionTable& table)> finish;
  // Takes a word that is no option, and may change the table: the arguments after the word are read by the new one.
  // Null: the program takes only options.
  std::function<absl::StatusOr<CommandLineAsks>(OptionTable& table, const std::string& word)> take_word;
  std::string flagfile_name = "flagfile";  // also "--NAME=FILE" reads options from a file
};

// Reads a command line without the program's name into the variables of the rows: --name=VALUE, --name VALUE, --switch,
// --noswitch, all also with one dash; --flagfile=FILE takes one option a line from a file; after "--" all are words;
// the last of a repeated option holds; --help, -h and --version. INVALID_ARGUMENT: what came and what was wanted, in
// one line of printable text.
absl::StatusOr<CommandLineAsks> ReadOptions(OptionTable& table, absl::Span<const std::string> arguments);

// The whole help: `about`, the groups with required options first, `notes`. Lines are at most 100 characters long.
std::string HelpText(const OptionTable& table);

// Returns `text` on one line that cannot steer a terminal: control characters become '?'.
std::string Printable(absl::string_view text);

// Reads the command line, as a program's main does first. Returns nothing if the program is to run, else its exit code:
// 0 after --help or --version was answered on stdout, 2 after one line on stderr said what is wrong.
std::optional<int> ReadCommandLine(OptionTable& table, int argc, char** argv);

}  // namespace rondo

#endif  // RONDO_BASE_OPTION_TABLE_H_
