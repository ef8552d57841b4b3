#ifndef RONDO_CLIENT_CLI_TARGET_H_
#define RONDO_CLIENT_CLI_TARGET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cli/commands.h"
#include "client/cli/row_mapping.h"
#include "client/client.h"

namespace rondo {

// The model of a command line, and the session if it names one.
struct Target {
  ModelDescription model;  // in the session's version
  std::optional<Session> session;
};

// `session_id` empty: no session.
absl::StatusOr<Target> OpenTarget(const CommandContext& context, const std::string& session_id);

// The rows of options that several commands have.
Option SessionOption(std::string* session_id);
Option TimeOption(std::string* time_column);

// "session 'a' continues at 731", on a terminal only.
void RemarkPosition(const CommandContext& context, const Session& session);

// INVALID_ARGUMENT as RowMapping::Create.
absl::StatusOr<RowMapping> MapColumns(const std::string& time_column, const ModelDescription& model,
                                      const std::vector<std::string>& header);

// The header of a table of predictions.
absl::Status WriteHeader(const CommandContext& context, const ModelDescription& model, const RowMapping& mapping);

// A row a timestep, each after its own time text; `times` is empty if the table has no time column. INTERNAL: the
// server answered another number of values than `timesteps` rows have.
absl::Status WritePredictions(const CommandContext& context, const ModelDescription& model, size_t timesteps,
                              absl::Span<const std::string> times, absl::Span<const float> values);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_TARGET_H_
