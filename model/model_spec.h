#ifndef RONDO_MODEL_MODEL_SPEC_H_
#define RONDO_MODEL_MODEL_SPEC_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/input_source.h"
#include "base/table_format.h"
#include "base/vocabulary.h"
#include "model/kernels/layer.h"
#include "model/network/graph.h"

namespace rondo {

// Says what numbers a reply has for each output of each horizon step: the value; the probability of a yes; the
// probability of a class (all outputs together are the classes); mean and standard deviation of a normal distribution;
// or the quantiles asked for.
enum class Head { kLinear, kSigmoid, kSoftmax, kGaussian, kQuantile };

// A sine and a cosine of a timestep's time in the zone of the model's table (UTC without one), appended to the inputs
// in this order: sin, cos of 2*pi * (fraction of the day, week since Monday 00:00, or year since January 1st).
enum class Calendar { kHour, kWeekday, kDayOfYear };

struct InputFeature {
  std::string name;
  double mean = 0;
  double std = 1;           // > 0; the network sees (value - mean) / std
  InputSource source = {};  // in the tables of its rows; a server needs `remembered` alone
};

struct OutputFeature {
  std::string name;
  double mean = 0;
  double std = 1;             // > 0; a client sees raw * std + mean
  std::string added_to = {};  // the name of an input whose value in this timestep is added; empty: none
};

struct FeedbackLink {
  std::string output;
  std::string input;
};

// What float32 weights answer to one sequence from a new session: what weights of another format are judged by.
struct KnownAnswers {
  std::vector<float> inputs;   // [timesteps][input_size], raw units
  std::vector<int64_t> times;  // [timesteps], unix seconds; empty unless the spec needs_times()
  std::vector<float> outputs;  // [timesteps][output_size]; empty: nothing is known
};

// Describes a model apart from its weights. A value; immutable once validated. Its network is a plain stack (equal
// cells, then a linear layer: cell to hidden_size) or a graph of elements.
struct ModelSpec {
  std::shared_ptr<const Graph> graph;  // null: a plain stack, and what follows up to hidden_size counts
  Cell cell = Cell::kLstm;
  GruReset gru_reset = GruReset::kAfter;      // gru only
  GruUpdate gru_update = GruUpdate::kKeep;    // gru only
  Activation activation = Activation::kTanh;  // rnn only
  int64_t num_layers = 0;
  int64_t hidden_size = 0;
  int64_t tokens = 0;                            // vocabulary size of a token model; 0: named inputs
  int64_t embedding_size = 0;                    // token models of a plain stack only
  std::shared_ptr<const Vocabulary> vocabulary;  // the texts of a token model's tokens; null: it has none
  std::vector<InputFeature> inputs;              // empty for a token model
  std::vector<Calendar> calendar;
  std::vector<OutputFeature> outputs;
  bool inputs_by_size = false;   // the description says how many inputs there are; NumberedFeatures names them
  bool outputs_by_size = false;  // and so for the outputs
  int64_t horizon = 1;
  Head head = Head::kLinear;
  std::vector<double> quantiles;  // quantile head only: ascending, each inside (0, 1)
  std::vector<FeedbackLink> feedback;
  // How much farther from their median the quantiles of sampled paths lie than the paths say, as a validation part has
  // shown: [steps ahead][outputs]; the last ones hold for later steps. Empty: as the paths say.
  std::vector<double> band_factors;
  double step_seconds = 0;                    // 0: unknown
  TableFormat table;                          // how the tables are written that the model is fed from
  WeightFormat weights = WeightFormat::kF32;  // how a server holds them unless it is told otherwise
  KnownAnswers accuracy;
  std::string training_json = "{}";  // provenance, free form, an object

  // Floats a timestep that a client sends: one an input, or one token id.
  int64_t input_size() const { return tokens > 0 ? 1 : static_cast<int64_t>(inputs.size()); }
  // Floats a timestep that the network sees: inputs and calendar, or the embedding, or the token of a graph.
  int64_t feature_size() const;
  // Floats that stand for one output: 1; mean and std of a gaussian head; one a quantile.
  int64_t values_per_output() const;
  // Floats a timestep in a reply: [horizon][outputs][values_per_output].
  int64_t output_size() const;
  // Floats of one session's state: [num_layers][h, then c for an lstm][hidden_size], or the graph's.
  int64_t state_size() const;
  // True if the network takes whole sequences only, and no session.
  bool whole_sequence() const { return graph != nullptr && graph->whole_sequence(); }
  // "lstm", "gru", "rnn": the cell of a plain stack; or "graph".
  absl::string_view network_kind() const;
  // True if each timestep needs a time.
  bool needs_times() const { return !calendar.empty(); }

  // The one judge of a spec: INVALID_ARGUMENT names the first rule it breaks. Bounds: num_layers <= 16,
  // hidden_size <= 16384, tokens <= 2^24 (each id is an exact float), output_size <= 2^20, names unique and
  // printable.
  absl::Status Validate() const;
};

absl::string_view CellName(Cell cell);  // "lstm", "gru", "rnn"
absl::string_view HeadName(Head head);  // "linear", "sigmoid", "softmax", "gaussian", "quantile"

// Inputs or outputs without names of their own: PREFIX0, PREFIX1, ...
template <typename Feature>
std::vector<Feature> NumberedFeatures(absl::string_view prefix, int64_t count) {
  std::vector<Feature> features(static_cast<size_t>(count));
  for (size_t i = 0; i < features.size(); ++i) features[i].name = absl::StrCat(prefix, i);
  return features;
}

}  // namespace rondo

#endif  // RONDO_MODEL_MODEL_SPEC_H_
