#include "base/nearest_word.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

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

// Null: there is none, or `word` is too short to tell.
const std::string* ShortestThatBeginsWith(absl::string_view word, const std::vector<std::string>& words) {
  constexpr size_t kLeastBeginning = 5;  // with the dashes of an option
  const std::string* shortest = nullptr;
  for (const std::string& candidate : words) {
    if (word.size() < kLeastBeginning || !absl::StartsWith(candidate, word)) continue;
    if (shortest == nullptr || candidate.size() < shortest->size()) shortest = &candidate;
  }
  return shortest;
}

}  // namespace

std::string SuggestNearest(absl::string_view word, const std::vector<std::string>& words) {
  const std::string* nearest = nullptr;
  // From this distance on a word is another one; so is one that shares no character with a short word.
  size_t distance = std::min(std::max<size_t>(2, word.size() / 3) + 1, word.size());
  for (const std::string& candidate : words) {
    const size_t lengths_differ_by = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (lengths_differ_by >= distance) continue;  // as many edits are needed at least
    const size_t d = EditDistance(word, candidate);
    if (d < distance) {
      distance = d;
      nearest = &candidate;
    }
  }
  if (nearest == nullptr) nearest = ShortestThatBeginsWith(word, words);
  return nearest == nullptr ? "" : absl::StrCat("; did you mean '", *nearest, "'?");
}

}  // namespace rondo
