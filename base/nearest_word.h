#ifndef RONDO_BASE_NEAREST_WORD_H_
#define RONDO_BASE_NEAREST_WORD_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo {

// Returns "; did you mean 'x'?" with the word of `words` that takes the fewest edits (Levenshtein's distance) to make
// of `word`, or, if none is near, with the shortest that goes on from `word`; empty if there is none either.
std::string SuggestNearest(absl::string_view word, const std::vector<std::string>& words);

}  // namespace rondo

#endif  // RONDO_BASE_NEAREST_WORD_H_
