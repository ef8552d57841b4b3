// The help of an option table; see option_table.h.
#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/option_table.h"

namespace rondo {
namespace {

constexpr size_t kWidth = 100;  // of a line
constexpr size_t kColumn = 31;  // where what is said of an option begins

constexpr char kUnbroken = '\t';  // a space at which no line ends

// "  --name=UNIT   text", with the text in its own column; a long name has a line of its own.
std::string Row(const std::string& name, const std::string& text) {
  std::string rows;
  std::string line = absl::StrCat("  ", name, " ");
  if (line.size() > kColumn) {
    rows = absl::StrCat("  ", name, "\n");
    line.clear();
  }
  line.resize(kColumn - 1, ' ');
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > kColumn) {
      absl::StrAppend(&rows, line, "\n");
      line.assign(kColumn - 1, ' ');
    }
    absl::StrAppend(&line, " ", word);
  }
  absl::StrAppend(&rows, absl::StripTrailingAsciiWhitespace(line), "\n");
  std::replace(rows.begin(), rows.end(), kUnbroken, ' ');
  return rows;
}

std::string RowOf(const Option& option) {
  const bool is_switch = option.value.unit.empty();
  std::string text = option.required ? absl::StrCat("Required. ", option.help) : option.help;
  if (!option.value.bounds.empty()) absl::StrAppend(&text, " Bounds: ", option.value.bounds, ".");
  const std::string& shown = option.default_text;
  if (is_switch && shown == "true") absl::StrAppend(&text, " Default: on; --no", option.name, " turns it off.");
  if (!is_switch && !option.required && !shown.empty())
    absl::StrAppend(&text, " Default:", std::string(1, kUnbroken), shown, ".");
  return Row(is_switch ? absl::StrCat("--", option.name) : absl::StrCat("--", option.name, "=", option.value.unit),
             text);
}

}  // namespace

std::string HelpText(const OptionTable& table) {
  std::string text = absl::StrCat(table.about, "\n");
  for (const OptionGroup& group : table.groups) {
    absl::StrAppend(&text, "\n", group.title, ":\n");
    for (const bool required : {true, false}) {
      for (const Option& option : group.options) {
        if (option.required == required) absl::StrAppend(&text, RowOf(option));
      }
    }
  }
  absl::StrAppend(
      &text, "\nEvery program:\n",
      Row(table.flagfile_name == "flagfile" ? "--flagfile=FILE"
                                            : absl::StrCat("--flagfile=FILE, --", table.flagfile_name, "=FILE"),
          "Reads flags from a file, one --NAME=VALUE a line; lines that begin with # are skipped."),
      Row("--help, --version", "Prints this, or the version."));
  return table.notes.empty() ? text : absl::StrCat(text, "\n", table.notes);
}

}  // namespace rondo
