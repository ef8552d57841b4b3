#ifndef RONDO_CLIENT_CLI_TEXT_PREDICTIONS_H_
#define RONDO_CLIENT_CLI_TEXT_PREDICTIONS_H_

#include <string>

#include "absl/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/target.h"

namespace rondo {

// Writes a row for each line of the file, or of stdin if `path` is "-": the line, and what the model answers after its
// last token. Each line is a text of its own, without a session. INVALID_ARGUMENT: the model has no vocabulary, or none
// for a line, which is named by its number.
absl::Status PredictTexts(const CommandContext& context, const ModelDescription& model, const std::string& path,
                          Answer answer);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_TEXT_PREDICTIONS_H_
