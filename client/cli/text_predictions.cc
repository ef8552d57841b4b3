#include "client/cli/text_predictions.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"
#include "base/vocabulary.h"
#include "client/cli/whole_file.h"

namespace rondo {
namespace {

constexpr size_t kMaxTextBytes = size_t{64} << 20;
constexpr size_t kMaxTokensOfLine = 10'000;  // a server's default
// Bounds of one message.
constexpr size_t kMaxLines = 256;
constexpr size_t kMaxTokens = size_t{1} << 18;

absl::Status RunLines(const CommandContext& context, const ModelDescription& model,
                      const std::vector<std::vector<std::string>>& lines, const std::vector<SequenceInput>& sequences,
                      Answer answer) {
  if (sequences.empty()) return absl::OkStatus();
  const auto outputs = context.client.PredictMany(model.name, sequences, {model.version, /*last_only=*/true, {}});
  if (!outputs.ok()) return outputs.status();
  std::vector<float> values;
  for (const SequenceOutput& output : *outputs) {
    if (!output.status.ok()) return output.status;
    values.insert(values.end(), output.values.begin(), output.values.end());
  }
  const absl::Status status = WritePredictions(context, model, "", lines, values, answer);
  return status.ok() ? context.output.Flush() : status;
}

}  // namespace

absl::Status PredictTexts(const CommandContext& context, const ModelDescription& model, const std::string& path,
                          Answer answer) {
  if (model.vocabulary.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--text: model '", model.name, "' has no vocabulary in its file; it takes a table of tokens"));
  }
  const auto vocabulary = Vocabulary::Create(model.vocabulary);
  if (!vocabulary.ok()) return vocabulary.status();
  const absl::StatusOr<std::string> text = ReadBytes(path, kMaxTextBytes);
  if (!text.ok()) return text.status();
  absl::Status status = WriteHeader(context, model, {"text"}, answer);
  std::vector<std::vector<std::string>> lines;
  std::vector<SequenceInput> sequences;
  size_t number = 0, tokens = 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    if (line.empty()) continue;
    const auto encoded = (*vocabulary)->Encode(line, kMaxTokensOfLine);
    if (!encoded.ok()) return Invalid("line ", number, ": ", encoded.status().message());
    lines.push_back({std::string(line)});
    sequences.emplace_back();
    sequences.back().values.assign(encoded->begin(), encoded->end());
    tokens += encoded->size();
    if (sequences.size() < kMaxLines && tokens < kMaxTokens) continue;
    if (status.ok()) status = RunLines(context, model, lines, sequences, answer);
    if (!status.ok()) return status;
    lines.clear();
    sequences.clear();
    tokens = 0;
  }
  if (status.ok()) status = RunLines(context, model, lines, sequences, answer);
  return status.ok() ? context.output.Flush() : status;
}

}  // namespace rondo
