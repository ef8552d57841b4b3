#include "base/option_table.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "base/invalid.h"
#include "base/nearest_word.h"

namespace rondo {
namespace {

constexpr int kMaxNestedFiles = 10;  // a file that names itself ends here

bool IsQuestion(absl::string_view name) { return name == "help" || name == "h" || name == "version"; }

bool IsOption(absl::string_view argument) { return argument.size() > 1 && argument[0] == '-'; }

// The name that an argument gives, without dashes and value.
absl::string_view NameIn(absl::string_view argument) {
  argument.remove_prefix(absl::StartsWith(argument, "--") ? 2 : 1);
  return argument.substr(0, argument.find('='));
}

Option* FindOption(OptionTable& table, absl::string_view name) {
  for (OptionGroup& group : table.groups) {
    for (Option& option : group.options) {
      if (option.name == name) return &option;
    }
  }
  return nullptr;
}

// The switch that "--noNAME" turns off; null if there is none.
Option* FindNegated(OptionTable& table, absl::string_view name) {
  if (!absl::ConsumePrefix(&name, "no")) return nullptr;
  Option* option = FindOption(table, name);
  return option != nullptr && option->value.unit.empty() ? option : nullptr;
}

// One pass over the arguments of a command line.
class Reader {
 public:
  explicit Reader(OptionTable& table) : table_(table) {}

  absl::StatusOr<CommandLineAsks> Read(absl::Span<const std::string> arguments) {
    absl::Status status = Take(arguments, 0);
    if (status.ok() && asks_ == CommandLineAsks::kRun) status = CheckRequired();
    if (status.ok() && asks_ == CommandLineAsks::kRun && table_.finish) status = table_.finish(table_);
    if (!status.ok()) return status;
    return asks_;
  }

 private:
  absl::Status Take(absl::Span<const std::string> arguments, int nesting) {
    bool only_words = false;
    absl::Status status;
    for (size_t i = 0; i < arguments.size() && status.ok(); ++i) {
      const std::string& argument = arguments[i];
      if (!only_words && argument == "--") {
        only_words = true;
      } else if (!only_words && IsOption(argument)) {
        status = TakeOption(argument, arguments.subspan(i + 1), &i, nesting);
      } else {
        status = TakeWord(argument);
      }
    }
    return status;
  }

  absl::Status TakeWord(const std::string& word) {
    if (!table_.take_word) {
      return Invalid("'", word, "' is no option: wanted --NAME=VALUE, as '", table_.program, " --help' shows");
    }
    const absl::StatusOr<CommandLineAsks> asks = table_.take_word(table_, word);
    if (asks.ok() && *asks != CommandLineAsks::kRun) asks_ = *asks;
    return asks.status();
  }

  // Adds to *taken how many of `rest` it took too.
  absl::Status TakeOption(absl::string_view argument, absl::Span<const std::string> rest, size_t* taken, int nesting) {
    const absl::string_view name = NameIn(argument);
    const size_t equals = argument.find('=');
    std::optional<std::string> value;
    if (equals != absl::string_view::npos) value = std::string(argument.substr(equals + 1));
    if (!value.has_value() && IsQuestion(name)) {
      asks_ = name == "version" ? CommandLineAsks::kVersion : CommandLineAsks::kHelp;
      return absl::OkStatus();
    }
    Option* option = FindOption(table_, name);
    if (option == nullptr && !value.has_value() && (option = FindNegated(table_, name)) != nullptr) value = "false";
    if (option == nullptr && !IsFlagFile(name)) return UnknownOption(argument.substr(0, equals));
    if (!value.has_value() && option != nullptr && option->value.unit.empty()) value = "true";
    if (!value.has_value()) {
      const std::string wanted = option == nullptr ? "FILE" : option->value.wanted;
      if (rest.empty() || IsKnown(rest[0])) {
        return Invalid("--", name, " has no value: wanted ", wanted);
      }
      value = rest[0];
      ++*taken;
    }
    if (option == nullptr) return TakeFile(*value, nesting + 1);
    given_.insert(option->name);
    if (option->value.read(*value)) return absl::OkStatus();
    return Invalid("--", option->name, "=", *value, ": wanted ", option->value.wanted);
  }

  absl::Status TakeFile(const std::string& path, int nesting) {
    std::ifstream file(path);
    std::vector<std::string> arguments;
    for (std::string line; std::getline(file, line);) {
      const absl::string_view text = absl::StripAsciiWhitespace(line);
      if (text.empty() || text[0] == '#') continue;
      if (!IsOption(text) || text == "--") {
        return Invalid("'", text, "' in the file of --", table_.flagfile_name, ": wanted one --NAME=VALUE a line");
      }
      arguments.emplace_back(text);
    }
    if (!file.eof() || nesting > kMaxNestedFiles) {
      return Invalid("--", table_.flagfile_name, "=", path, ": wanted a file that can ", "be read, with at most ",
                     kMaxNestedFiles, " in each other");
    }
    return Take(arguments, nesting);
  }

  bool IsFlagFile(absl::string_view name) const { return name == "flagfile" || name == table_.flagfile_name; }

  bool IsKnown(absl::string_view argument) const {
    if (!IsOption(argument)) return false;
    const absl::string_view name = NameIn(argument);
    return FindOption(table_, name) != nullptr || FindNegated(table_, name) != nullptr || IsFlagFile(name) ||
           IsQuestion(name);
  }

  absl::Status UnknownOption(absl::string_view dashed) const {
    std::vector<std::string> names = {"--help", "--version", absl::StrCat("--", table_.flagfile_name)};
    for (const OptionGroup& group : table_.groups) {
      for (const Option& option : group.options) names.push_back(absl::StrCat("--", option.name));
    }
    return Invalid("unknown flag '", dashed, "': wanted one that '", table_.program, " --help' shows",
                   SuggestNearest(dashed, names));
  }

  absl::Status CheckRequired() const {
    for (const OptionGroup& group : table_.groups) {
      for (const Option& option : group.options) {
        if (!option.required || given_.count(option.name) > 0) continue;
        return Invalid("--", option.name, " is missing: wanted --", option.name, "=", option.value.unit);
      }
    }
    return absl::OkStatus();
  }

  OptionTable& table_;
  CommandLineAsks asks_ = CommandLineAsks::kRun;
  std::set<std::string> given_;
};

}  // namespace

std::string Printable(absl::string_view text) {
  std::string printable(text);
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, '?');
  return printable;
}

Option Required(Option option) {
  option.required = true;
  return option;
}

absl::StatusOr<CommandLineAsks> ReadOptions(OptionTable& table, absl::Span<const std::string> arguments) {
  absl::StatusOr<CommandLineAsks> asks = Reader(table).Read(arguments);
  if (!asks.ok()) return absl::Status(asks.status().code(), Printable(asks.status().message()));
  return asks;
}

std::optional<int> ReadCommandLine(OptionTable& table, int argc, char** argv) {
  // Debian builds abseil with its debug checks: each lock of gRPC's would look for deadlock cycles in a global graph.
  // That costs time, and it overwrites errno: gRPC 1.51 looks at connect()'s after taking locks (grpc/grpc pull request
  // 35064), so that one connection in some hundred processes failed.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::string program = table.program;  // a command may change it
  const absl::StatusOr<CommandLineAsks> asks = ReadOptions(table, std::vector<std::string>(argv + 1, argv + argc));
  if (!asks.ok()) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(asks.status().message()).c_str());
    return 2;
  }
  if (*asks == CommandLineAsks::kRun) return std::nullopt;
  const std::string text =
      *asks == CommandLineAsks::kHelp ? HelpText(table) : absl::StrCat(program, " ", RONDO_VERSION, "\n");
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace rondo
