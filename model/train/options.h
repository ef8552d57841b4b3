#ifndef RONDO_MODEL_TRAIN_OPTIONS_H_
#define RONDO_MODEL_TRAIN_OPTIONS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/option_table.h"
#include "model/train/dataset.h"
#include "model/train/input_columns.h"
#include "model/train/labelled_data.h"
#include "model/train/network_shape.h"
#include "model/train/series.h"
#include "model/train/token_text.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Says which networks are tried. kAuto: linear ones and the recurrent one, unless options of the recurrent network or
// another loss than mse were given.
enum class NetworkKind { kAuto, kLinear, kRecurrent };

// A text file of token sequences, one a line.
struct TokenSource {
  std::string path;  // empty: a CSV file is learned from
  TokenUnit unit = TokenUnit::kCharacters;
  std::vector<std::string> texts;  // TOKEN=TEXT
};

// How long settings are tried at random before the best of them is trained.
struct SearchOptions {
  int64_t settings = 0;  // 0: none are tried
  absl::Duration time = absl::Minutes(10);
};

// Everything rondo-train can be told. The value that a member has here, or in the options of a part, is the option's
// default; TrainOptionTable has unit, bounds and the meaning of 0.
struct TrainOptions {
  TrainOptions() {
    network.cell = Cell::kGru;
    network.input_size = 32;
    learning.window = 0;
  }

  std::string csv_path;  // empty: tokens.path is set
  TokenSource tokens;
  Task task = Task::kForecast;
  std::string text_column;        // of a task with labels; empty: dataset.inputs
  bool balanced_classes = false;  // of a task with labels: rare classes count as much as frequent ones
  std::string output;             // the folder to make
  std::string from;               // a model file to go on from; empty: none
  bool evaluate = false;          // score model_path on csv_path, and train nothing
  std::string model_path;
  SeriesOptions series;
  DatasetOptions dataset;
  InputColumns input_columns;
  NetworkKind network_kind = NetworkKind::kAuto;
  int64_t window_inputs = 0;       // of a linear network; 0: chosen
  bool columns_as_series = false;  // one linear layer for all targets
  NetworkShape network;            // cell, layers, hidden_size; for tokens the embedding's input_size
  LearningOptions learning;        // window 0: chosen from the data
  std::vector<double> quantiles = {0.1, 0.5, 0.9};
  int64_t season = 0;  // timesteps; 0: what fits the step; -1: none
  int threads = 0;     // 0: chosen from the size of the network
  absl::Duration checkpoint_interval = absl::Seconds(20);
  bool resume = false;
  SearchOptions search;
  bool benchmark = false;  // nothing else is then needed
  // Every option that shapes the result and its value as text: for provenance and a checkpoint's fingerprint.
  std::vector<std::pair<std::string, std::string>> texts;
};

// The command line of rondo-train. Reading it fills *options, which must outlive the table.
OptionTable TrainOptionTable(TrainOptions* options);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OPTIONS_H_
