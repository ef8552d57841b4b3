#ifndef RONDO_MODEL_TRAIN_OPTIONS_H_
#define RONDO_MODEL_TRAIN_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "model/model_spec.h"
#include "model/train/dataset.h"
#include "model/train/series.h"
#include "model/train/token_text.h"
#include "model/train/trainer.h"

namespace rondo::train {

// Everything rondo-train can be told. Each value has passed its bounds; `rondo-train --help` has unit, default, bounds
// and the meaning of 0 of each.
struct TrainOptions {
  std::string csv_path;  // empty: tokens_path is set
  std::string tokens_path;
  TokenUnit token_unit = TokenUnit::kCharacters;
  std::string output;  // the folder to make
  SeriesOptions series;
  DatasetOptions dataset;
  NetworkShape network;      // cell, layers, hidden_size; for tokens the embedding's input_size
  LearningOptions learning;  // window 0: chosen from the data
  int64_t season = 0;        // timesteps; 0: what fits the step; -1: none
  int threads = 0;           // 0: chosen from the size of the network
  absl::Duration checkpoint_interval;
  bool resume = false;
  int64_t search = 0;  // settings to try; 0: none
  absl::Duration search_time;
  // Every option that shapes the result and its value as text: for provenance and a checkpoint's fingerprint.
  std::vector<std::pair<std::string, std::string>> texts;
};

// "--config=FILE" becomes absl's "--flagfile=FILE": one option a line, as on the command line.
std::vector<char*> ExpandConfigArguments(int argc, char** argv, std::vector<std::string>* storage);

// Reads and checks the flags after absl::ParseCommandLine. INVALID_ARGUMENT: the option, what came, what was wanted.
absl::StatusOr<TrainOptions> OptionsFromFlags();

// True if --benchmark was given: nothing else is then needed.
bool BenchmarkRequested();
int ThreadsFlag();

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_OPTIONS_H_
