#include "client/cli/arguments.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace rondo {
namespace {

// Levenshtein's distance: insertions, deletions and replacements.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// "; did you mean 'x'?", or nothing if no word is near.
std::string Suggestion(absl::string_view word, const std::vector<std::string>& words) {
  const std::string* nearest = nullptr;
  size_t distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : words) {
    const size_t d = EditDistance(word, candidate);
    if (d < distance) {
      distance = d;
      nearest = &candidate;
    }
  }
  return nearest == nullptr ? "" : absl::StrCat("; did you mean '", *nearest, "'?");
}

const FlagSpec* FindFlag(const std::vector<FlagSpec>& flags, absl::string_view name) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const FlagSpec& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

// One pass over the words; the command is known from the first one or two that are not flags.
class Parser {
 public:
  Parser(const ProgramSpec& program, absl::Span<const std::string> arguments)
      : program_(program), arguments_(arguments) {}

  absl::StatusOr<Invocation> Parse() {
    bool only_words = false;
    for (next_ = 0; next_ < arguments_.size();) {
      const absl::string_view argument = arguments_[next_++];
      absl::Status status;
      if (!only_words && argument == "--") {
        only_words = true;
      } else if (!only_words && (argument == "--help" || argument == "-h")) {
        invocation_.help = true;
      } else if (!only_words && argument.size() > 1 && argument[0] == '-') {
        status = TakeFlag(argument);
      } else {
        status = TakeWord(argument);
      }
      if (!status.ok()) return status;
    }
    absl::Status status = invocation_.help ? absl::OkStatus() : CheckComplete();
    if (!status.ok()) return status;
    return std::move(invocation_);
  }

 private:
  absl::Status TakeWord(absl::string_view word) {
    if (invocation_.command == nullptr) return TakeCommandWord(word);
    const CommandSpec& command = *invocation_.command;
    if (!invocation_.help && invocation_.positionals.size() == command.positionals.size()) {
      return absl::InvalidArgumentError(absl::StrCat("'", command.name, "' takes ", command.positionals.size(),
                                                     " arguments; '", word, "' is one too many"));
    }
    invocation_.positionals.emplace_back(word);
    return absl::OkStatus();
  }

  absl::Status TakeCommandWord(absl::string_view word) {
    if (group_.empty() && word == "help") {
      invocation_.help = true;
      return absl::OkStatus();
    }
    const std::string name = group_.empty() ? std::string(word) : absl::StrCat(group_, " ", word);
    std::vector<std::string> names;
    for (const CommandSpec& command : program_.commands) {
      if (command.name == name) {
        invocation_.command = &command;
        return absl::OkStatus();
      }
      if (group_.empty() && absl::StartsWith(command.name, name + " ")) {
        group_ = name;
        return absl::OkStatus();
      }
      names.emplace_back(command.name);
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown command '", name, "'", Suggestion(name, names)));
  }

  absl::Status TakeFlag(absl::string_view argument) {
    absl::string_view text = argument;
    text.remove_prefix(absl::StartsWith(text, "--") ? 2 : 1);
    const size_t equals = text.find('=');
    const absl::string_view name = text.substr(0, equals);
    const FlagSpec* flag = FindFlag(program_.flags, name);
    if (flag == nullptr && invocation_.command != nullptr) flag = FindFlag(invocation_.command->flags, name);
    if (flag == nullptr || !absl::StartsWith(argument, "--"))
      return UnknownFlag(argument.substr(0, argument.find('=')));
    std::string value;
    if (flag->kind == FlagKind::kSwitch) {
      if (equals != absl::string_view::npos) {
        return absl::InvalidArgumentError(absl::StrCat("--", name, " takes no value"));
      }
      invocation_.flags[std::string(name)] = "";
      return absl::OkStatus();
    }
    if (equals != absl::string_view::npos) {
      value = std::string(text.substr(equals + 1));
    } else if (next_ < arguments_.size()) {
      value = arguments_[next_++];
    }
    int32_t count = 0;
    if (value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " has no value; it takes ", flag->placeholder));
    }
    if (flag->kind == FlagKind::kCount && (!absl::SimpleAtoi(value, &count) || count < 1)) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " is '", value, "'; it takes a whole number >= 1"));
    }
    invocation_.flags[std::string(name)] = std::move(value);
    return absl::OkStatus();
  }

  absl::Status UnknownFlag(absl::string_view dashed) const {
    std::vector<std::string> names = {"--help"};
    for (const FlagSpec& flag : program_.flags) names.push_back(absl::StrCat("--", flag.name));
    if (invocation_.command != nullptr) {
      for (const FlagSpec& flag : invocation_.command->flags) names.push_back(absl::StrCat("--", flag.name));
    }
    const std::string where = invocation_.command == nullptr ? absl::StrCat(" before the command")
                                                             : absl::StrCat(" of '", invocation_.command->name, "'");
    return absl::InvalidArgumentError(absl::StrCat("unknown flag '", dashed, "'", where, Suggestion(dashed, names)));
  }

  absl::Status CheckComplete() const {
    if (invocation_.command == nullptr) {
      std::vector<std::string> names;
      for (const CommandSpec& command : program_.commands) {
        if (group_.empty() || absl::StartsWith(command.name, group_ + " ")) names.emplace_back(command.name);
      }
      return absl::InvalidArgumentError(
          absl::StrCat(group_.empty() ? "no command" : absl::StrCat("'", group_, "' is half a command"),
                       "; there are: ", absl::StrJoin(names, ", ")));
    }
    const CommandSpec& command = *invocation_.command;
    if (invocation_.positionals.size() < command.positionals.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", command.name, "' lacks ", command.positionals[invocation_.positionals.size()]));
    }
    for (const FlagSpec& flag : command.flags) {
      if (flag.required && invocation_.flags.count(flag.name) == 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("'", command.name, "' lacks --", flag.name, "=", flag.placeholder));
      }
    }
    return absl::OkStatus();
  }

  const ProgramSpec& program_;
  const absl::Span<const std::string> arguments_;
  size_t next_ = 0;
  std::string group_;  // the first word of a command of two
  Invocation invocation_;
};

std::string FlagText(const FlagSpec& flag) {
  return flag.kind == FlagKind::kSwitch ? absl::StrCat("--", flag.name)
                                        : absl::StrCat("--", flag.name, "=", flag.placeholder);
}

std::string FlagLines(const std::vector<FlagSpec>& flags) {
  std::string text;
  for (const FlagSpec& flag : flags) {
    absl::StrAppendFormat(&text, "  %-22s %s\n", FlagText(flag), flag.help);
  }
  return text;
}

std::string UsageLine(const ProgramSpec& program, const CommandSpec& command) {
  std::string line = absl::StrCat(program.name, " ", command.name);
  for (const absl::string_view positional : command.positionals) absl::StrAppend(&line, " ", positional);
  for (const FlagSpec& flag : command.flags) {
    const std::string text = FlagText(flag);
    absl::StrAppend(&line, " ", flag.required ? text : absl::StrCat("[", text, "]"));
  }
  return line;
}

}  // namespace

std::optional<std::string> Invocation::Flag(absl::string_view name) const {
  const auto found = flags.find(name);
  if (found == flags.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<Invocation> ParseArguments(const ProgramSpec& program, absl::Span<const std::string> arguments) {
  return Parser(program, arguments).Parse();
}

std::string HelpText(const ProgramSpec& program, const CommandSpec* command) {
  if (command != nullptr) {
    return absl::StrCat("usage: ", UsageLine(program, *command), "\n\n", command->summary, "\n\n",
                        command->flags.empty() ? "" : absl::StrCat(FlagLines(command->flags), "\n"),
                        command->description);
  }
  std::string text = absl::StrCat(program.name, ": ", program.summary, "\n\nusage: ", program.name,
                                  " [--server=HOST:PORT] COMMAND ...\n\n");
  for (const CommandSpec& each : program.commands) {
    absl::StrAppendFormat(&text, "  %-22s %s\n", each.name, each.summary);
  }
  absl::StrAppend(&text, "\n", FlagLines(program.flags), "\n", program.notes);
  return text;
}

}  // namespace rondo
