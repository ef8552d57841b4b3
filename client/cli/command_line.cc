#include "client/cli/command_line.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/nearest_word.h"

namespace rondo {
namespace {

constexpr char kNotes[] =
    R"('rondo COMMAND --help' shows a command's flags and examples; its flags come after its name.
Exit code: 0 done, 1 the server or the input was refused or failed (why is on stderr), 2 wrong
usage, 3 a stream's session has ended, and --anew was not given.
)";

constexpr absl::string_view kExitCode = "rondo-exit-code";  // a payload of a status

OptionGroup OfEveryCommand(std::string* server, absl::Duration* timeout, ConnectionFlags* connection) {
  OptionGroup group{"Of every command",
                    {{"server", Text(server, "HOST:PORT"),
                      "The server, whose name may stand for several, or IP:PORT,IP:PORT,..., or unix:PATH. The "
                      "environment's RONDO_SERVER takes the place of the default."},
                     {"timeout", Number(timeout, {absl::Milliseconds(1), absl::InfiniteDuration()}, "DURATION"),
                      "Longest wait for one answer, retries included."}}};
  for (Option& row : ConnectionRows(connection)) group.options.push_back(std::move(row));
  return group;
}

std::string About(const std::vector<Command>& commands) {
  std::string about =
      "rondo: predictions of recurrent networks, from a Rondo server.\n\n"
      "usage: rondo [--server=HOST:PORT] COMMAND ...\n";
  for (const Command& command : commands) absl::StrAppendFormat(&about, "\n  %-21s %s", command.name, command.summary);
  return about;
}

// "rondo predict MODEL --input=FILE|- [--session=ID]"
std::string UsageLine(const Command& command) {
  std::string line = absl::StrCat("rondo ", command.name);
  for (const std::string& word : command.words) absl::StrAppend(&line, " ", word);
  for (const Option& option : command.options) {
    const bool is_switch = option.value.unit.empty();
    const std::string text = absl::StrCat("--", option.name, is_switch ? "" : "=", option.value.unit);
    absl::StrAppend(&line, " ", option.required ? text : absl::StrCat("[", text, "]"));
  }
  return line;
}

// Breaks a line between words where it would not fit a terminal.
std::string Wrapped(absl::string_view line) {
  constexpr absl::string_view kIndent = "      ";
  size_t width = 100;
  std::string text;
  while (line.size() > width) {
    const size_t space = line.rfind(' ', width);
    absl::StrAppend(&text, line.substr(0, space), "\n", kIndent);
    line.remove_prefix(space);
    width = 100 - kIndent.size();
  }
  return absl::StrCat(text, line);
}

// Names the program that does what `name` asks for, where that is not this one: what works on files asks no server.
std::string ProgramFor(absl::string_view name) {
  if (name == "export" || name == "convert") {
    return "; to write a model file as ONNX: rondo-convert MODEL.safetensors --to_onnx=MODEL.onnx, and --help for more";
  }
  return name == "train" ? "; to train a model: rondo-train --data=FILE.csv, and --help for more" : "";
}

}  // namespace

absl::Status ExitsWith(int exit_code, absl::Status error) {
  error.SetPayload(kExitCode, absl::Cord(absl::StrCat(exit_code)));
  return error;
}

int ExitCodeOf(const absl::Status& error) {
  int exit_code = 1;
  const auto text = error.GetPayload(kExitCode);
  return text.has_value() && absl::SimpleAtoi(std::string(*text), &exit_code) ? exit_code : 1;
}

CommandLine::CommandLine(const std::string& default_server) : server_(default_server) {
  for (const MakeCommand make : kCommands) commands_.push_back(make());
  table_.program = "rondo";
  table_.about = About(commands_);
  table_.groups = {OfEveryCommand(&server_, &timeout_, &connection_)};
  table_.notes = kNotes;
  table_.take_word = [this](OptionTable&, const std::string& word) { return TakeWord(word); };
  table_.finish = [this](const OptionTable&) { return CheckComplete(); };
}

absl::StatusOr<CommandLineAsks> CommandLine::TakeWord(const std::string& word) {
  if (command_ != nullptr) {
    if (words_.size() == command_->words.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "' is one word too many: wanted '", UsageLine(*command_), "'"));
    }
    words_.push_back(word);
    return CommandLineAsks::kRun;
  }
  if (group_.empty() && word == "help") return CommandLineAsks::kHelp;
  const std::string name = group_.empty() ? word : absl::StrCat(group_, " ", word);
  for (const Command& command : commands_) {
    if (command.name == name) {
      Choose(command);
      return CommandLineAsks::kRun;
    }
    if (group_.empty() && absl::StartsWith(command.name, name + " ")) {
      group_ = name;
      return CommandLineAsks::kRun;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown command '", name, "': wanted one of ",
                                                 absl::StrJoin(CommandNames(), ", "),
                                                 SuggestNearest(name, CommandNames()), ProgramFor(name)));
}

void CommandLine::Choose(const Command& command) {
  command_ = &command;
  table_.program = absl::StrCat("rondo ", command.name);
  table_.about = absl::StrCat(Wrapped("usage: " + UsageLine(command)), "\n\n", command.summary);
  if (!command.options.empty()) table_.groups.insert(table_.groups.begin(), OptionGroup{"Flags", command.options});
  table_.notes = command.description;
}

std::vector<std::string> CommandLine::CommandNames() const {
  std::vector<std::string> names;
  for (const Command& command : commands_) {
    if (group_.empty() || absl::StartsWith(command.name, group_ + " ")) names.push_back(command.name);
  }
  return names;
}

absl::Status CommandLine::CheckComplete() const {
  if (command_ == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(group_.empty() ? "no command" : absl::StrCat("'", group_, "' is half a command"),
                     ": wanted one of ", absl::StrJoin(CommandNames(), ", ")));
  }
  if (words_.size() == command_->words.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(command_->words[words_.size()], " is missing: wanted '", UsageLine(*command_), "'"));
}

}  // namespace rondo
