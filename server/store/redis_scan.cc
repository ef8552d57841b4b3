#include "server/store/redis_scan.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

// Takes the number that *text begins with, and the space behind it.
bool TakeNumber(absl::string_view* text, uint64_t* number) {
  const size_t space = text->find(' ');
  if (space == absl::string_view::npos || !absl::SimpleAtoi(text->substr(0, space), number)) return false;
  text->remove_prefix(space + 1);
  return true;
}

}  // namespace

std::string PatternOf(absl::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (absl::StrContains("*?[]^-\\", c)) pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern;
}

bool ReadFound(absl::string_view text, std::string* cursor, SessionStore::ScanOp* scan) {
  uint64_t next = 0;
  if (!TakeNumber(&text, &next)) return false;
  *cursor = absl::StrCat(next);
  while (!text.empty()) {
    uint64_t id_bytes = 0;
    uint64_t head_bytes = 0;
    if (!TakeNumber(&text, &id_bytes) || !TakeNumber(&text, &head_bytes)) return false;
    if (id_bytes > text.size() || head_bytes > text.size() - id_bytes) return false;
    const absl::string_view id = text.substr(0, id_bytes);
    if (!absl::StrContains(id.substr(std::min(id.size(), scan->prefix.size())), ' ')) {
      scan->entries.push_back({std::string(id), std::string(text.substr(id_bytes, head_bytes))});
    }
    text.remove_prefix(id_bytes + head_bytes);
  }
  return true;
}

}  // namespace rondo
