#include "model/train/token_text.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"

namespace rondo::train {
namespace {

constexpr size_t kMaxTokenBytes = 100;  // a model's names have at most 128 bytes

size_t CharacterBytes(unsigned char lead) {
  return lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
}

// Makes a token's name, since names in a model file are printable.
std::string NameOf(const std::string& token) { return token[0] >= 0 && token[0] < 0x20 ? absl::CEscape(token) : token; }

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitTokens(absl::string_view line, TokenUnit unit) {
  if (unit == TokenUnit::kWords) {
    std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    for (std::string& word : words) word.resize(std::min(word.size(), kMaxTokenBytes));
    return words;
  }
  std::vector<std::string> characters;
  while (!line.empty()) {
    const size_t bytes = CharacterBytes(line[0]);
    if (bytes == 0 || bytes > line.size()) return absl::InvalidArgumentError("not UTF-8");
    characters.emplace_back(line.substr(0, bytes));
    line.remove_prefix(bytes);
  }
  return characters;
}

absl::StatusOr<TokenText> ReadTokens(absl::string_view text, TokenUnit unit) {
  std::vector<std::vector<std::string>> lines;
  std::map<std::string, int64_t> counts;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    auto tokens = SplitTokens(line, unit);
    if (!tokens.ok()) return Invalid("line ", number, " is not UTF-8");
    if (tokens->size() < 2) continue;
    for (const std::string& token : *tokens) ++counts[token];
    lines.push_back(*std::move(tokens));
  }
  if (lines.empty()) return absl::InvalidArgumentError("the text has no line of at least two tokens");
  std::vector<std::pair<int64_t, std::string>> order;
  for (const auto& [token, count] : counts) order.emplace_back(-count, token);
  std::sort(order.begin(), order.end());
  TokenText made;
  std::map<std::string, int64_t> ids;
  for (const auto& [count, token] : order) {
    ids[token] = static_cast<int64_t>(made.names.size());
    made.names.push_back(NameOf(token));
    if (unit == TokenUnit::kCharacters) made.texts.push_back(token);
  }
  made.set.columns = {"token"};
  for (const std::vector<std::string>& line : lines) {
    Series series;
    for (const std::string& token : line) series.values.push_back(static_cast<float>(ids[token]));
    series.timesteps = static_cast<int64_t>(line.size());
    made.set.series.push_back(std::move(series));
  }
  return made;
}

}  // namespace rondo::train
