#ifndef RONDO_BASE_VOCABULARY_H_
#define RONDO_BASE_VOCABULARY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo {

// The texts of a model's tokens, by token number: characters, words with their spaces, or byte pairs. A text is cut
// into tokens from its beginning, and each token is the longest that fits there.
//
// Immutable. Threads: any.
class Vocabulary {
 public:
  static constexpr size_t kMaxTextBytes = 256;

  // An empty text belongs to a token that no text is cut into, such as one that pads. INVALID_ARGUMENT: a text is there
  // twice, is not UTF-8, or is longer than kMaxTextBytes.
  static absl::StatusOr<std::shared_ptr<const Vocabulary>> Create(std::vector<std::string> texts);

  size_t size() const { return texts_.size(); }
  const std::vector<std::string>& texts() const { return texts_; }
  // REQUIRES: token < size().
  const std::string& TextOf(size_t token) const { return texts_[token]; }
  // The longest text's.
  size_t max_text_bytes() const { return max_text_bytes_; }

  // The tokens of `text`. INVALID_ARGUMENT: there is no token for what stands at some byte, which the error names; or
  // the text has more than `most` tokens.
  absl::StatusOr<std::vector<int32_t>> Encode(absl::string_view text, size_t most) const;

 private:
  explicit Vocabulary(std::vector<std::string> texts) : texts_(std::move(texts)) {}

  const std::vector<std::string> texts_;
  std::unordered_map<std::string, int32_t> tokens_;  // by text; none of an empty one
  std::array<std::vector<size_t>, 256> lengths_;     // of the texts, by their first byte; the longest first
  size_t max_text_bytes_ = 0;
};

}  // namespace rondo

#endif  // RONDO_BASE_VOCABULARY_H_
