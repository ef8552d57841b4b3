#ifndef RONDO_MODEL_TRAIN_INPUT_COLUMNS_H_
#define RONDO_MODEL_TRAIN_INPUT_COLUMNS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/train/csv_table.h"
#include "model/train/dataset.h"
#include "model/train/series.h"

namespace rondo::train {

// Says which columns are more than a number of the timestep.
struct InputColumns {
  std::vector<std::string> known;       // each is an input for every timestep ahead that is predicted
  std::vector<std::string> categories;  // each is an input for every text in it: 1 where it stands, else 0
};

// Sets the inputs of *dataset and where each is in the table: first the numbers of now, then those of one timestep
// later, then the categories, then what is known of later timesteps. NOT_FOUND: there is no such column.
// INVALID_ARGUMENT: a column has too many texts, or too long a one; or a target is known before.
absl::Status ListInputs(const CsvTable& table, const InputColumns& columns, DatasetOptions* dataset);

// Reads the series of a table with a column for each input of *dataset, in order, and for each target that is no input.
// A value that lies after the end of a series is the series' last one; no target is that far. Errors as MakeSeries.
absl::StatusOr<SeriesSet> ReadInputs(const CsvTable& table, SeriesOptions options, const DatasetOptions& dataset);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_INPUT_COLUMNS_H_
