#include "base/vocabulary.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/invalid.h"
#include "base/text_decoder.h"

namespace rondo {

absl::StatusOr<std::shared_ptr<const Vocabulary>> Vocabulary::Create(std::vector<std::string> texts) {
  const std::shared_ptr<Vocabulary> made(new Vocabulary(std::move(texts)));
  for (size_t token = 0; token < made->size(); ++token) {
    const std::string& text = made->TextOf(token);
    if (text.empty()) continue;
    if (text.size() > kMaxTextBytes) {
      return Invalid("vocabulary[", token, "] has ", text.size(), " bytes; a token's text has at most ", kMaxTextBytes);
    }
    if (!IsUtf8(text)) return Invalid("vocabulary[", token, "] is not UTF-8");
    const auto [place, is_new] = made->tokens_.emplace(text, static_cast<int32_t>(token));
    if (!is_new) {
      return Invalid("vocabulary[", token, "] is '", absl::CHexEscape(text), "', which is also that of token ",
                     place->second, "; wanted a text for one token only");
    }
    made->max_text_bytes_ = std::max(made->max_text_bytes_, text.size());
    made->lengths_[static_cast<unsigned char>(text[0])].push_back(text.size());
  }
  for (std::vector<size_t>& lengths : made->lengths_) {
    std::sort(lengths.begin(), lengths.end(), std::greater<size_t>());
    lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  }
  return std::shared_ptr<const Vocabulary>(made);
}

absl::StatusOr<std::vector<int32_t>> Vocabulary::Encode(absl::string_view text, size_t most) const {
  std::vector<int32_t> tokens;
  std::string piece;
  for (size_t place = 0; place < text.size();) {
    if (tokens.size() == most) return Invalid("the text has more than ", most, " tokens; at most so many are taken");
    auto found = tokens_.end();
    for (const size_t length : lengths_[static_cast<unsigned char>(text[place])]) {
      if (length > text.size() - place) continue;
      piece.assign(text.data() + place, length);
      if (found = tokens_.find(piece); found != tokens_.end()) break;
    }
    if (found == tokens_.end()) {
      return Invalid("the model has no token for the text at byte ", place, ": '",
                     absl::CHexEscape(text.substr(place, 4)), "'");
    }
    tokens.push_back(found->second);
    place += found->first.size();
  }
  return tokens;
}

}  // namespace rondo
