#ifndef RONDO_CLIENT_CLI_TARGET_H_
#define RONDO_CLIENT_CLI_TARGET_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/cli/commands.h"
#include "client/cli/csv_input.h"
#include "client/cli/later_rows.h"
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
Option SeriesOption(std::string* series);
Option OddStepsOption(OddStep* odd_step);

// "session 'a' continues at 731", on a terminal only.
void RemarkPosition(const CommandContext& context, const Session& session);

// A table of timesteps, and where the model's inputs are in it.
struct InputTable {
  // Reads the next timestep of the series that is asked for, with what the model wants to know of later ones; false:
  // the table has ended.
  absl::StatusOr<bool> Next(CsvRow* row);
  // Reads as Next does, and once the table has ended also those rows after which too few come.
  absl::StatusOr<bool> NextIncomplete(CsvRow* row);
  // Says on stderr which timestep has not run, since the table ends before what has to be known of later ones.
  void RemarkWaiting() const;

  std::unique_ptr<CsvInput> rows;
  RowMapping mapping;
  LaterRows later;
};

// Opens a table that is written as the model's are. Errors as CsvInput::Open and RowMapping::Create.
absl::StatusOr<InputTable> OpenTable(const std::string& path, const ModelDescription& model,
                                     const RowMapping::Options& options);

// What of an answer is written: all of its numbers, or the most probable class and its probability.
enum class Answer { kNumbers, kLabel };

// The header of a table of predictions, with `leading` columns before the outputs. INVALID_ARGUMENT: the model has no
// classes, and labels are wanted.
absl::Status WriteHeader(const CommandContext& context, const ModelDescription& model, std::vector<std::string> leading,
                         Answer answer = Answer::kNumbers);

// A row a timestep of `series`: its leading cells, then its outputs, in the table's units. INTERNAL: the server
// answered another number of values than the rows have.
absl::Status WritePredictions(const CommandContext& context, const ModelDescription& model, const std::string& series,
                              const std::vector<std::vector<std::string>>& leading, absl::Span<const float> values,
                              Answer answer = Answer::kNumbers);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_TARGET_H_
