#ifndef RONDO_TESTS_COUNT_OF_H_
#define RONDO_TESTS_COUNT_OF_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace rondo {

// Returns how often `part` stands in `text`.
inline int CountOf(absl::string_view part, absl::string_view text) {
  int count = 0;
  for (size_t at = text.find(part); at != absl::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace rondo

#endif  // RONDO_TESTS_COUNT_OF_H_
