#include "base/missing_column.h"

#include <algorithm>
#include <cstddef>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest_word.h"
#include "base/table_format.h"

namespace rondo {
namespace {

constexpr size_t kMostNamed = 20;
constexpr size_t kMostBytes = 64;  // of a name; the longest that a model has is 128

// Cuts a name that is too long for a message, between two characters.
std::string Shown(absl::string_view name) {
  if (name.size() <= kMostBytes) return std::string(name);
  size_t end = kMostBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(name.substr(0, end), "...");
}

// Tells whether a text begins as numbers and times do, and as few names do.
bool LooksLikeValue(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == '.') ? 1 : 0;
  return text.size() > sign && absl::ascii_isdigit(static_cast<unsigned char>(text[sign]));
}

}  // namespace

std::string InsteadOfColumn(absl::string_view name, const std::vector<std::string>& header) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(header.size(), kMostNamed); ++i) shown.push_back(Shown(header[i]));
  std::string text = absl::StrCat("; its columns are ", absl::StrJoin(shown, ", "));
  if (header.size() > kMostNamed) absl::StrAppend(&text, " and ", header.size() - kMostNamed, " more");
  if (!DelimiterAdvice(header).empty()) return text;  // they are no names
  if (absl::c_all_of(header, LooksLikeValue)) return text + ": wanted their names in the first row";
  return text + SuggestNearest(name, header);
}

}  // namespace rondo
