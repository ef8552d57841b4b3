#ifndef RONDO_MODEL_TRAIN_LABELLED_DATA_H_
#define RONDO_MODEL_TRAIN_LABELLED_DATA_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/table_format.h"
#include "model/model_spec.h"
#include "model/train/csv_table.h"
#include "model/train/token_text.h"

namespace rondo::train {

// Says what is learned: what comes next; which class a sequence is of, by its last timestep; or the class of each
// timestep.
enum class Task { kForecast, kClassify, kTag };

// How sequences with labels stand in a table. Rows are timesteps, in order, and `sequence_column` says of which
// sequence. Without it a row is a whole sequence, whose text is cut into tokens: for kClassify only.
struct LabelledOptions {
  Task task = Task::kClassify;
  std::string label_column;
  std::vector<std::string> inputs;  // columns of numbers; empty: `text_column`
  std::string text_column;          // each cell is a token, or without sequence_column a text
  std::string sequence_column;
  TokenUnit token_unit = TokenUnit::kCharacters;
  TableFormat format;
  double validation = 0.15;  // fraction of the sequences
  double test = 0.25;
  uint64_t seed = 1;
};

struct LabelledSequence {
  size_t timesteps = 0;
  std::vector<float> inputs;    // [timesteps][input_size], as the table has them: numbers, or token ids
  std::vector<int32_t> labels;  // kTag: one a timestep, kNoLabel: none is known; kClassify: one
};
inline constexpr int32_t kNoLabel = -1;

// Sequences to learn from, and what they say of a model. The parts are drawn at random from `seed`, of each class
// alike; each of them has a label.
struct LabelledData {
  enum Part { kTraining, kValidation, kTest };

  Task task = Task::kClassify;
  ModelSpec spec;  // inputs with statistics of the training part, or tokens with their texts; the classes as outputs
  std::vector<LabelledSequence> sequences;
  std::vector<size_t> parts[3];  // indices of `sequences`
  // Labels of each class in a part.
  std::vector<double> CountLabels(Part part) const;
};

// INVALID_ARGUMENT: names the column or the row, what came and what was wanted.
absl::StatusOr<LabelledData> ReadLabelled(const CsvTable& table, const LabelledOptions& options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_LABELLED_DATA_H_
