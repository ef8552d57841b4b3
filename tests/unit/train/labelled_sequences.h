#ifndef RONDO_TESTS_UNIT_TRAIN_LABELLED_SEQUENCES_H_
#define RONDO_TESTS_UNIT_TRAIN_LABELLED_SEQUENCES_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "model/train/labelled_data.h"

namespace rondo::train {

// Says how FirstLetters are a table: a text in each row, and its class.
inline LabelledOptions Texts() {
  LabelledOptions options;
  options.label_column = "language";
  options.text_column = "name";
  return options;
}

// Texts of "a" and "b" whose first letter is their class, and 1 to 9 letters after it that say nothing.
inline std::string FirstLetters(size_t count) {
  std::string csv = "name,language\n";
  for (size_t i = 0; i < count; ++i) {
    std::string text = i % 3 == 0 ? "a" : "b";
    for (size_t k = 0; k <= i * 7 % 9; ++k) text += (i * 5 + k * k) % 2 == 0 ? "x" : "y";
    absl::StrAppend(&csv, text, ",", i % 3 == 0 ? "first" : "second", "\n");
  }
  return csv;
}

inline absl::StatusOr<LabelledData> Read(const std::string& csv, const LabelledOptions& options) {
  return ReadLabelled(*ParseCsv(csv), options);
}

}  // namespace rondo::train

#endif  // RONDO_TESTS_UNIT_TRAIN_LABELLED_SEQUENCES_H_
