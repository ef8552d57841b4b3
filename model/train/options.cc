#include "model/train/options.h"

#include <algorithm>
#include <set>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "model/train/flag_reader.h"

using Strings = std::vector<std::string>;

ABSL_FLAG(std::string, data, "", "CSV file with a header row");
ABSL_FLAG(std::string, tokens, "", "text file of token sequences, one a line, instead of --data");
ABSL_FLAG(std::string, token_unit, "character", "what a token is: character or word");
ABSL_FLAG(std::string, output, "", "folder to make, with the model, its scores and a report; must not exist");
ABSL_FLAG(std::string, time, "", "column with the time of each row; empty: rows are timesteps without times");
ABSL_FLAG(std::string, time_format, "",
          "format of --time for absl::ParseTime, as %d.%m.%Y; %s: unix seconds; empty: recognised");
ABSL_FLAG(std::string, series, "", "column that names the series of a row; empty: one series");
ABSL_FLAG(Strings, target, {}, "columns to predict, comma-separated; 'all': every input");
ABSL_FLAG(Strings, inputs, {}, "columns that the model reads, comma-separated; empty: the targets");
ABSL_FLAG(std::string, missing, "error", "a field without a value: error or forward_fill");
ABSL_FLAG(std::string, irregular, "error", "times that are not one step apart: error, resample (mean a step) or keep");
ABSL_FLAG(double, step, 0, "seconds a step for --irregular=resample, 0 to 1e9; 0: the most frequent of the file");
ABSL_FLAG(std::string, calendar, "auto",
          "calendar inputs made from the time: auto, none, or of hour,weekday,day_of_year");
ABSL_FLAG(std::string, predict, "auto",
          "change (from the value now), value, or auto: change where the target is an input");
ABSL_FLAG(int64_t, horizon, 1, "timesteps ahead, each predicted directly, 1 to 10000");
ABSL_FLAG(double, validation, 0.15, "part of each series for early stopping, before the test part, 0.01 to 0.8");
ABSL_FLAG(double, test, 0.25, "part of each series, its end, for the scores, 0.01 to 0.8");
ABSL_FLAG(std::string, cell, "gru", "lstm, gru or rnn");
ABSL_FLAG(std::string, gru_reset, "after", "where a gru's reset gate acts: before or after the recurrent product");
ABSL_FLAG(std::string, gru_update, "keep", "what a gru's update gate does with the state: keep or replace");
ABSL_FLAG(std::string, activation, "tanh", "of an rnn: tanh or relu");
ABSL_FLAG(int64_t, layers, 1, "recurrent layers, 1 to 16");
ABSL_FLAG(int64_t, hidden_size, 0,
          "units of each layer, 0 to 16384; 0: 16, from 3000 training timesteps on 32, from 30000 on 64");
ABSL_FLAG(int64_t, embedding_size, 32, "numbers that stand for a token, 1 to 16384; token models only");
ABSL_FLAG(std::string, loss, "mse",
          "mse, mae, quantile (quantile head), gaussian (gaussian head); tokens: cross entropy");
ABSL_FLAG(Strings, quantiles, Strings({"0.1", "0.5", "0.9"}), "of the quantile loss, ascending, inside (0, 1)");
ABSL_FLAG(int64_t, window, 0,
          "timesteps that a gradient reaches back over, up to 100000; 0: 32, less if data is short");
ABSL_FLAG(int64_t, batch_size, 16, "windows of one optimiser step, 1 to 65536");
ABSL_FLAG(std::string, state, "reset",
          "state at the start of a window: reset (zero) or carry (from the window before)");
ABSL_FLAG(int64_t, epochs, 200, "at most so many, 1 to 1000000");
ABSL_FLAG(int64_t, patience, 15,
          "epochs without a better validation loss before stopping, 0 to 1000000; 0: never stop");
ABSL_FLAG(double, learning_rate, 1e-3, "AdamW's peak learning rate, 1e-9 to 10");
ABSL_FLAG(int64_t, warmup_steps, 50, "steps over which the learning rate rises, 0 to 1e9; 0: none");
ABSL_FLAG(std::string, decay, "cosine", "of the learning rate: cosine, plateau or none");
ABSL_FLAG(double, weight_decay, 0.01, "AdamW's, of weight matrices, 0 to 10; 0: none");
ABSL_FLAG(double, clip_norm, 1, "largest norm of a gradient, 0 to 1e9; 0: no limit");
ABSL_FLAG(double, dropout, 0, "part of the outputs dropped between layers in training, 0 to 0.9; 0: none");
ABSL_FLAG(bool, refit, true, "train again on training and validation part for as many epochs as were best");
ABSL_FLAG(uint64_t, seed, 1, "of every random choice; equal seeds and threads give equal weights, bit for bit");
ABSL_FLAG(int64_t, threads, 0, "threads of oneDNN, 0 to 1024; 0: one for a small network, one a core for a large one");
ABSL_FLAG(int64_t, season, 0, "timesteps of a season for the naive rule, -1 to 1e9; 0: what fits the step; -1: none");
ABSL_FLAG(absl::Duration, checkpoint_interval, absl::Seconds(20), "time between checkpoints; 0: after every step");
ABSL_FLAG(bool, resume, false, "go on from the checkpoint of an interrupted run with the same options");
ABSL_FLAG(int64_t, search, 0, "random settings to try, the best on validation wins, 0 to 100000; 0: none");
ABSL_FLAG(absl::Duration, search_time, absl::Minutes(10), "for --search, above 0; the best setting by then is trained");
ABSL_FLAG(bool, benchmark, false, "measure the optimiser step against bare oneDNN and exit");
ABSL_FLAG(std::string, config, "", "file of options, one --name=value a line; the same as --flagfile");

namespace rondo::train {
namespace {

Strings NonEmpty(const Strings& names) {
  Strings kept;
  for (const std::string& name : names) {
    if (!name.empty()) kept.push_back(name);
  }
  return kept;
}

void ReadColumns(FlagReader& reader, TrainOptions& options) {
  Strings targets = NonEmpty(absl::GetFlag(FLAGS_target)), inputs = NonEmpty(absl::GetFlag(FLAGS_inputs));
  if (targets.empty()) reader.Refuse("--target is missing: the columns to predict, or 'all'");
  if (targets == Strings{"all"}) {
    targets = inputs;
    if (inputs.empty()) reader.Refuse("--target=all needs --inputs");
  }
  if (inputs.empty()) inputs = targets;
  for (const Strings* names : {&inputs, &targets}) {
    if (std::set<std::string>(names->begin(), names->end()).size() != names->size()) {
      reader.Refuse(absl::StrCat(names == &inputs ? "--inputs" : "--target", " names a column twice"));
    }
  }
  options.series.columns = inputs;
  for (const std::string& target : targets) {
    if (std::find(inputs.begin(), inputs.end(), target) == inputs.end()) options.series.columns.push_back(target);
  }
  options.dataset.inputs = std::move(inputs);
  options.dataset.targets = std::move(targets);
}

void ReadCalendar(FlagReader& reader, TrainOptions& options) {
  const std::string text = absl::GetFlag(FLAGS_calendar);
  if (text == "auto") return;
  options.dataset.calendar.emplace();
  if (text == "none" || text.empty()) return;
  for (absl::string_view name : absl::StrSplit(text, ',')) {
    if (name == "hour") {
      options.dataset.calendar->push_back(Calendar::kHour);
    } else if (name == "weekday") {
      options.dataset.calendar->push_back(Calendar::kWeekday);
    } else if (name == "day_of_year") {
      options.dataset.calendar->push_back(Calendar::kDayOfYear);
    } else {
      reader.Refuse(absl::StrCat("--calendar has '", name, "'; it takes auto, none, or of hour,weekday,day_of_year"));
    }
  }
}

void ReadSource(FlagReader& reader, TrainOptions& options) {
  options.csv_path = absl::GetFlag(FLAGS_data);
  options.tokens_path = absl::GetFlag(FLAGS_tokens);
  options.output = absl::GetFlag(FLAGS_output);
  while (options.output.size() > 1 && options.output.back() == '/') options.output.pop_back();
  if (options.csv_path.empty() == options.tokens_path.empty()) {
    reader.Refuse("one of --data=FILE.csv and --tokens=FILE.txt is wanted");
  }
  if (options.output.empty()) reader.Refuse("--output is missing: the folder to make, such as models/seattle/1");
  options.token_unit = reader.Choice<TokenUnit>(FLAGS_token_unit, "token_unit",
                                                {{"character", TokenUnit::kCharacters}, {"word", TokenUnit::kWords}});
  options.series.time = absl::GetFlag(FLAGS_time);
  options.series.time_format = absl::GetFlag(FLAGS_time_format);
  options.series.series = absl::GetFlag(FLAGS_series);
  options.series.missing = reader.Choice<Missing>(
      FLAGS_missing, "missing", {{"error", Missing::kError}, {"forward_fill", Missing::kForwardFill}});
  options.series.irregular = reader.Choice<Irregular>(
      FLAGS_irregular, "irregular",
      {{"error", Irregular::kError}, {"resample", Irregular::kResample}, {"keep", Irregular::kKeep}});
  options.series.resample_seconds = reader.InBounds(FLAGS_step, "step", 0.0, 1e9);
  if (!options.csv_path.empty()) ReadColumns(reader, options);
}

void ReadDataset(FlagReader& reader, TrainOptions& options) {
  DatasetOptions& dataset = options.dataset;
  ReadCalendar(reader, options);
  dataset.predict = reader.Choice<Predict>(
      FLAGS_predict, "predict", {{"auto", Predict::kAuto}, {"change", Predict::kChange}, {"value", Predict::kValue}});
  dataset.horizon = reader.InBounds<int64_t>(FLAGS_horizon, "horizon", 1, 10000);
  dataset.validation = reader.InBounds(FLAGS_validation, "validation", 0.01, 0.8);
  dataset.test = reader.InBounds(FLAGS_test, "test", 0.01, 0.8);
  if (dataset.validation + dataset.test > 0.9) reader.Refuse("--validation and --test leave less than 0.1 to train on");
  if (!options.tokens_path.empty() && dataset.horizon != 1)
    reader.Refuse("--tokens predicts the next token: --horizon=1");
}

void ReadNetwork(FlagReader& reader, TrainOptions& options) {
  NetworkShape& network = options.network;
  network.cell =
      reader.Choice<Cell>(FLAGS_cell, "cell", {{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}});
  network.gru_reset = reader.Choice<GruReset>(FLAGS_gru_reset, "gru_reset",
                                              {{"after", GruReset::kAfter}, {"before", GruReset::kBefore}});
  network.gru_update = reader.Choice<GruUpdate>(FLAGS_gru_update, "gru_update",
                                                {{"keep", GruUpdate::kKeep}, {"replace", GruUpdate::kReplace}});
  network.activation = reader.Choice<Activation>(FLAGS_activation, "activation",
                                                 {{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}});
  network.num_layers = reader.InBounds<int64_t>(FLAGS_layers, "layers", 1, 16);
  network.hidden_size = reader.InBounds<int64_t>(FLAGS_hidden_size, "hidden_size", 0, 16384);
  network.input_size = reader.InBounds<int64_t>(FLAGS_embedding_size, "embedding_size", 1, 16384);
  if (network.cell != Cell::kRnn && network.activation != Activation::kTanh) {
    reader.Refuse("--activation=relu needs --cell=rnn");
  }
}

void ReadLoss(FlagReader& reader, TrainOptions& options) {
  Loss& loss = options.learning.loss;
  loss.kind = reader.Choice<LossKind>(FLAGS_loss, "loss",
                                      {{"mse", LossKind::kMse},
                                       {"mae", LossKind::kMae},
                                       {"quantile", LossKind::kQuantile},
                                       {"gaussian", LossKind::kGaussian}});
  if (!options.tokens_path.empty()) loss.kind = LossKind::kCrossEntropy;
  if (loss.kind != LossKind::kQuantile) return;
  double last = 0;
  for (const std::string& text : absl::GetFlag(FLAGS_quantiles)) {
    double quantile = 0;
    if (!absl::SimpleAtod(text, &quantile) || !(quantile > last && quantile < 1)) {
      reader.Refuse(absl::StrCat("--quantiles has '", text, "' after ", last, "; they must grow, inside (0, 1)"));
      return;
    }
    loss.quantiles.push_back(last = quantile);
  }
  if (loss.quantiles.empty()) reader.Refuse("--quantiles is empty");
}

void ReadLearning(FlagReader& reader, TrainOptions& options) {
  LearningOptions& learning = options.learning;
  ReadLoss(reader, options);
  learning.window = reader.InBounds<int64_t>(FLAGS_window, "window", 0, 100000);
  learning.batch_size = reader.InBounds<int64_t>(FLAGS_batch_size, "batch_size", 1, 65536);
  learning.carry_state = reader.Choice<bool>(FLAGS_state, "state", {{"reset", false}, {"carry", true}});
  learning.epochs = reader.InBounds<int64_t>(FLAGS_epochs, "epochs", 1, 1000000);
  learning.patience = reader.InBounds<int64_t>(FLAGS_patience, "patience", 0, 1000000);
  learning.learning_rate = reader.InBounds(FLAGS_learning_rate, "learning_rate", 1e-9, 10.0);
  learning.warmup_steps = reader.InBounds<int64_t>(FLAGS_warmup_steps, "warmup_steps", 0, 1000000000);
  learning.decay = reader.Choice<Decay>(
      FLAGS_decay, "decay", {{"cosine", Decay::kCosine}, {"plateau", Decay::kPlateau}, {"none", Decay::kNone}});
  learning.weight_decay = reader.InBounds(FLAGS_weight_decay, "weight_decay", 0.0, 10.0);
  learning.clip_norm = reader.InBounds(FLAGS_clip_norm, "clip_norm", 0.0, 1e9);
  learning.dropout = reader.InBounds(FLAGS_dropout, "dropout", 0.0, 0.9);
  learning.refit = absl::GetFlag(FLAGS_refit);
  learning.seed = absl::GetFlag(FLAGS_seed);
}

// Options that do not change the weights or are not this run's business.
bool ShapesResult(absl::string_view name) {
  return name != "output" && name != "resume" && name != "checkpoint_interval" && name != "config" &&
         name != "benchmark" && name != "data" && name != "tokens";
}

std::vector<std::pair<std::string, std::string>> OptionTexts() {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    if (absl::EndsWith(flag->Filename(), "model/train/options.cc") && ShapesResult(name)) {
      texts.emplace_back(name, flag->CurrentValue());
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

std::vector<char*> ExpandConfigArguments(int argc, char** argv, std::vector<std::string>* storage) {
  constexpr absl::string_view kConfig = "--config=";
  storage->assign(argv, argv + argc);
  std::vector<char*> expanded;
  for (std::string& argument : *storage) {
    if (absl::StartsWith(argument, kConfig)) argument = absl::StrCat("--flagfile=", argument.substr(kConfig.size()));
    expanded.push_back(argument.data());
  }
  return expanded;
}

absl::StatusOr<TrainOptions> OptionsFromFlags() {
  FlagReader reader;
  TrainOptions options;
  ReadSource(reader, options);
  ReadDataset(reader, options);
  ReadNetwork(reader, options);
  ReadLearning(reader, options);
  options.season = reader.InBounds<int64_t>(FLAGS_season, "season", -1, 1000000000);
  options.threads = static_cast<int>(reader.InBounds<int64_t>(FLAGS_threads, "threads", 0, 1024));
  options.checkpoint_interval = absl::GetFlag(FLAGS_checkpoint_interval);
  options.resume = absl::GetFlag(FLAGS_resume);
  options.search = reader.InBounds<int64_t>(FLAGS_search, "search", 0, 100000);
  options.search_time = absl::GetFlag(FLAGS_search_time);
  if (options.checkpoint_interval < absl::ZeroDuration()) reader.Refuse("--checkpoint_interval is below 0");
  if (options.search_time <= absl::ZeroDuration()) reader.Refuse("--search_time must be above 0, such as 10m");
  if (options.search > 0 && options.resume) reader.Refuse("--resume does not go with --search");
  if (!reader.status().ok()) return reader.status();
  options.texts = OptionTexts();
  return options;
}

bool BenchmarkRequested() { return absl::GetFlag(FLAGS_benchmark); }
int ThreadsFlag() { return static_cast<int>(std::clamp<int64_t>(absl::GetFlag(FLAGS_threads), 0, 1024)); }

}  // namespace rondo::train
