#ifndef RONDO_CLIENT_CLI_MODEL_TABLE_H_
#define RONDO_CLIENT_CLI_MODEL_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/table_format.h"
#include "client/messages.h"

namespace rondo {

// Returns how tables for a model are written, as it was trained. INVALID_ARGUMENT: this program cannot read such
// tables, as when it lacks the time zone.
absl::StatusOr<TableFormat> TableOf(const ModelDescription& model);

// Turns one float of an answer into the table's own unit: scale * value + offset.
struct AnswerUnit {
  double offset = 0;
  double scale = 1;
};

// Returns the unit of each float of an answer to one timestep, [output_size], for rows of `series`; empty: all are in
// the table's own.
std::vector<AnswerUnit> AnswerUnits(const ModelDescription& model, const TableFormat& table, const std::string& series);

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_MODEL_TABLE_H_
