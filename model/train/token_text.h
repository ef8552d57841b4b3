#ifndef RONDO_MODEL_TRAIN_TOKEN_TEXT_H_
#define RONDO_MODEL_TRAIN_TOKEN_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/train/series.h"

namespace rondo::train {

// Holds a text as series of token ids, and what each id stands for.
struct TokenText {
  std::vector<std::string> names;  // of each id: printable and unique; the most frequent token is 0
  std::vector<std::string> texts;  // of each id, of characters only: a vocabulary
  SeriesSet set;                   // one column "token"; one series a line
};

// Says what a token is. kCharacters: every UTF-8 character; kWords: what white space separates.
enum class TokenUnit { kCharacters, kWords };

// Cuts a line into tokens. INVALID_ARGUMENT: it is not UTF-8.
absl::StatusOr<std::vector<std::string>> SplitTokens(absl::string_view line, TokenUnit unit);

// A line is one sequence; lines of one token are left out. INVALID_ARGUMENT: not UTF-8, or no sequence of two tokens.
absl::StatusOr<TokenText> ReadTokens(absl::string_view text, TokenUnit unit);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_TOKEN_TEXT_H_
