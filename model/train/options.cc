#include "model/train/options.h"

#include <algorithm>
#include <limits>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo::train {
namespace {

using Strings = std::vector<std::string>;

constexpr char kAbout[] =
    R"(rondo-train trains a recurrent network on a CSV and writes a model that rondo-server serves.

  rondo-train --data=weather.csv --time=date --target=temp_max \
              --inputs=temp_max,temp_min,wind,precipitation --output=models/seattle/1
  rondo-train evaluate models/seattle/1/model.safetensors --data=new-rows.csv)";

constexpr char kNotes[] =
    R"(Ctrl-C ends the training and writes the best weights so far; SIGTERM stops it, and --resume goes on.
Exit code: 0 a model was written, 1 it was not, or the training diverged (why is on stderr), 2 wrong
usage.
)";

constexpr std::pair<absl::string_view, Calendar> kCalendars[] = {
    {"hour", Calendar::kHour}, {"weekday", Calendar::kWeekday}, {"day_of_year", Calendar::kDayOfYear}};

// Of kCalendars; null: not there.
const std::pair<absl::string_view, Calendar>* FindCalendar(absl::string_view name) {
  const auto* found = std::find_if(std::begin(kCalendars), std::end(kCalendars),
                                   [&](const auto& calendar) { return calendar.first == name; });
  return found == std::end(kCalendars) ? nullptr : found;
}

OptionValue CalendarValue(std::optional<std::vector<Calendar>>* target) {
  OptionValue value;
  value.unit = "LIST";
  value.wanted = "auto, none, or of hour,weekday,day_of_year";
  value.read = [target](absl::string_view text) {
    std::optional<std::vector<Calendar>> calendars;
    if (text != "auto") calendars.emplace();
    if (text != "auto" && text != "none") {
      for (const absl::string_view name : absl::StrSplit(text, ',', absl::SkipEmpty())) {
        const auto* calendar = FindCalendar(name);
        if (calendar == nullptr) return false;
        calendars->push_back(calendar->second);
      }
    }
    *target = std::move(calendars);
    return true;
  };
  value.text = [target]() -> std::string {
    if (!target->has_value()) return "auto";
    if ((*target)->empty()) return "none";
    return absl::StrJoin(**target, ",", [](std::string* text, Calendar calendar) {
      for (const auto& [name, each] : kCalendars) {
        if (each == calendar) absl::StrAppend(text, name);
      }
    });
  };
  return value;
}

OptionValue QuantilesValue(std::vector<double>* target) {
  OptionValue value;
  value.unit = "Q[,Q...]";
  value.wanted = "numbers that grow, each between 0 and 1, such as 0.1,0.5,0.9";
  value.read = [target](absl::string_view text) {
    std::vector<double> quantiles;
    for (const absl::string_view word : absl::StrSplit(text, ',')) {
      double quantile = 0;
      const double last = quantiles.empty() ? 0 : quantiles.back();
      if (!absl::SimpleAtod(word, &quantile) || !(quantile > last && quantile < 1)) return false;
      quantiles.push_back(quantile);
    }
    *target = std::move(quantiles);
    return true;
  };
  value.text = [target] {
    return absl::StrJoin(*target, ",", [](std::string* text, double q) { absl::StrAppendFormat(text, "%.15g", q); });
  };
  return value;
}

OptionGroup Source(TrainOptions* options) {
  return {"Data; --data or --tokens, --output and, with --data, --target are required",
          {{"data", TextOrNone(&options->csv_path, "FILE"), "CSV file with a header row."},
           {"tokens", TextOrNone(&options->tokens_path, "FILE"),
            "Text file of token sequences, one a line, instead of --data."},
           {"output", TextOrNone(&options->output, "DIR"),
            "Folder to make, with the model, its scores and a report; must not exist."},
           {"from", TextOrNone(&options->from, "FILE"),
            "Model file to go on from: its network, columns and statistics; --target and --inputs are then its own."},
           {"target", TextList(&options->dataset.targets, "COLUMNS"),
            "Columns to predict, comma-separated; 'all': every input, or without --inputs every column of the file."},
           {"inputs", TextList(&options->dataset.inputs, "COLUMNS"),
            "Columns that the model reads, comma-separated; empty: the targets."},
           {"series", TextOrNone(&options->series.format.series_column, "COLUMN"),
            "Column that names the series of a row; empty: one series."},
           {"token_unit",
            Choice(&options->token_unit, {{"character", TokenUnit::kCharacters}, {"word", TokenUnit::kWords}}),
            "What a token is."},
           {"series_scale",
            Choice(&options->series.series_scale,
                   {{"auto", SeriesScale::kAuto}, {"own", SeriesScale::kOwn}, {"shared", SeriesScale::kShared}}),
            "Mean and deviation of each series or of all. auto: of each if they differ."}}};
}

// A mark of a CSV, of those in `accepted`; "tab" names one too. `may_be_none`: an empty text stands for none.
OptionValue MarkValue(char* target, absl::string_view wanted, absl::string_view accepted, bool may_be_none = false) {
  OptionValue value;
  value.unit = "MARK";
  value.wanted = std::string(wanted);
  value.read = [target, accepted, may_be_none](absl::string_view text) {
    if (text == "tab") text = "\t";
    if (text.empty() ? !may_be_none : text.size() > 1 || !absl::StrContains(accepted, text)) return false;
    *target = text.empty() ? '\0' : text[0];
    return true;
  };
  value.text = [target]() -> std::string {
    return *target == '\0' ? "" : *target == '\t' ? "tab" : std::string(1, *target);
  };
  return value;
}

OptionGroup Table(TrainOptions* options) {
  SeriesOptions& series = options->series;
  TableFormat& format = series.format;
  return {
      "How the CSV is written; all of it stands in the model, so that rondo reads tables alike",
      {{"delimiter", MarkValue(&format.delimiter, ", ; | : or tab", ",;|:\t"), "Between the fields of a row."},
       {"decimal", MarkValue(&format.decimal, ". or ,", ".,"), "Before the fraction of a number."},
       {"thousands", MarkValue(&format.thousands, ", . ' or nothing", ",.'", /*may_be_none=*/true),
        "Between groups of three digits; empty: nothing is."},
       {"missing_values", TextList(&format.missing_values, "LIST"),
        "Texts that stand for no value, beside NA, N/A, NaN, None, null, missing, ?, ., - and \\N."},
       {"time", TextOrNone(&format.time_column, "COLUMN"),
        "Column with the time of each row; empty: rows are timesteps without times."},
       {"time_format", TextOrNone(&format.time_format, "FORMAT"),
        "Format of --time for absl::ParseTime, as %d.%m.%Y; %s: unix seconds; empty: recognised."},
       {"time_zone", TextOrNone(&format.time_zone, "NAME"),
        "Zone of times without an offset and of the calendar, as Europe/Berlin; empty: UTC."},
       {"missing",
        Choice(&format.missing,
               {{"error", Missing::kError}, {"forward_fill", Missing::kForwardFill}, {"mask", Missing::kMask}}),
        "A field without a value: error, or the value before as an input and never as a target; mask: steps that are "
        "missing altogether too."},
       {"sort", Switch(&series.sort), "Sort the rows of each series by time."},
       {"duplicates",
        Choice(&series.duplicates, {{"error", Duplicates::kError},
                                    {"first", Duplicates::kFirst},
                                    {"last", Duplicates::kLast},
                                    {"mean", Duplicates::kMean}}),
        "What rows of one series with equal times become."},
       {"irregular",
        Choice(&options->series.irregular,
               {{"error", Irregular::kError}, {"resample", Irregular::kResample}, {"keep", Irregular::kKeep}}),
        "What to do with times that are not one step apart; resample: the mean of each step."},
       {"step", Number(&options->series.resample_seconds, {0, 1e9}, "SECONDS"),
        "Length of a step for --irregular=resample. 0: the most frequent of the file."}}};
}

OptionGroup Prediction(TrainOptions* options) {
  DatasetOptions& dataset = options->dataset;
  return {
      "What is predicted from what",
      {{"horizon", Number(&dataset.horizon, {1, 10000}, "N"), "Timesteps ahead, each predicted directly."},
       {"predict",
        Choice(&dataset.predict, {{"auto", Predict::kAuto}, {"change", Predict::kChange}, {"value", Predict::kValue}}),
        "The change from the value now, or the value. auto: the change where the target is an input."},
       {"calendar", CalendarValue(&dataset.calendar),
        "Calendar inputs made from the time: auto, none, or of hour,weekday,day_of_year."},
       {"validation", Number(&dataset.validation, {0.01, 0.8}, "PART"),
        "Part of each series for early stopping, before the test part."},
       {"test", Number(&dataset.test, {0.01, 0.8}, "PART"), "Part of each series, its end, for the scores."},
       {"season", Number(&options->season, {-1, 1'000'000'000}, "N"),
        "Timesteps of a season for the naive rule. 0: the best on validation of those that fit the step. -1: none."}}};
}

OptionGroup Network(TrainOptions* options) {
  NetworkShape* network = &options->network;
  return {
      "The network",
      {{"network",
        Choice(
            &options->network_kind,
            {{"auto", NetworkKind::kAuto}, {"linear", NetworkKind::kLinear}, {"recurrent", NetworkKind::kRecurrent}}),
        "What is tried. auto: linear layers on a window and the recurrent network; the simplest within 1% of the least "
        "validation error is taken. Only the recurrent network if options of it or a loss that is not mse are given."},
       {"window_inputs", Number(&options->window_inputs, {0, 4096}, "N"),
        "Last values that a linear network reads. 0: the best on validation, at most 512."},
       {"columns_as_series", Switch(&options->columns_as_series),
        "Of linear networks, try only one layer that all targets share, each on its own values."},
       {"cell", Choice(&network->cell, {{"lstm", Cell::kLstm}, {"gru", Cell::kGru}, {"rnn", Cell::kRnn}}),
        "The recurrent cell."},
       {"layers", Number(&network->num_layers, {1, 16}, "N"), "Recurrent layers."},
       {"hidden_size", Number(&network->hidden_size, {0, 16384}, "N"),
        "Units of each layer. 0: 16, from 3000 training timesteps on 32, from 30000 on 64."},
       {"gru_reset", Choice(&network->gru_reset, {{"after", GruReset::kAfter}, {"before", GruReset::kBefore}}),
        "Where a gru's reset gate acts: before or after the recurrent product."},
       {"gru_update", Choice(&network->gru_update, {{"keep", GruUpdate::kKeep}, {"replace", GruUpdate::kReplace}}),
        "What a gru's update gate does with the state."},
       {"activation", Choice(&network->activation, {{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}}),
        "Of an rnn."},
       {"embedding_size", Number(&network->input_size, {1, 16384}, "N"),
        "Numbers that stand for a token; token models only."}}};
}

OptionGroup Learning(TrainOptions* options) {
  LearningOptions& learning = options->learning;
  return {"Learning",
          {{"loss",
            Choice(&learning.loss.kind, {{"mse", LossKind::kMse},
                                         {"mae", LossKind::kMae},
                                         {"quantile", LossKind::kQuantile},
                                         {"gaussian", LossKind::kGaussian}}),
            "What is minimised; quantile and gaussian make a head of that kind; tokens: always cross entropy."},
           {"quantiles", QuantilesValue(&options->quantiles), "Of the quantile loss, ascending, inside (0, 1)."},
           {"window", Number(&learning.window, {0, 100000}, "N"),
            "Timesteps that a gradient reaches back over. 0: 32, less if data is short."},
           {"batch_size", Number(&learning.batch_size, {1, 65536}, "N"), "Windows of one optimiser step."},
           {"state", Choice(&learning.carry_state, {{"reset", false}, {"carry", true}}),
            "State at the start of a window: reset (zero) or carry (from the window before)."},
           {"epochs", Number(&learning.epochs, {1, 1'000'000}, "N"), "At most so many."},
           {"patience", Number(&learning.patience, {0, 1'000'000}, "N"),
            "Epochs without a better validation loss before stopping. 0: never stop."},
           {"learning_rate", Number(&learning.learning_rate, {1e-9, 10}, "RATE"), "AdamW's peak learning rate."},
           {"warmup_steps", Number(&learning.warmup_steps, {0, 1'000'000'000}, "N"),
            "Steps over which the learning rate rises. 0: none."},
           {"decay",
            Choice(&learning.decay, {{"cosine", Decay::kCosine}, {"plateau", Decay::kPlateau}, {"none", Decay::kNone}}),
            "Of the learning rate."},
           {"weight_decay", Number(&learning.weight_decay, {0, 10}, "RATE"), "AdamW's, of weight matrices. 0: none."},
           {"clip_norm", Number(&learning.clip_norm, {0, 1e9}, "NORM"), "Largest norm of a gradient. 0: no limit."},
           {"dropout", Number(&learning.dropout, {0, 0.9}, "PART"),
            "Part of the outputs dropped between layers in training. 0: none."},
           {"refit", Switch(&learning.refit),
            "Train again on training and validation part for as many epochs as were best."},
           {"seed", Number(&learning.seed, {0, std::numeric_limits<uint64_t>::max()}, "N"),
            "Of every random choice; equal seeds and threads give equal weights, bit for bit."}}};
}

OptionGroup Run(TrainOptions* options) {
  return {
      "The run",
      {{"threads", Number(&options->threads, {0, 1024}, "N"),
        "Threads of oneDNN. 0: one for a small network, one a core for a large one."},
       {"checkpoint_interval",
        Number(&options->checkpoint_interval, {absl::ZeroDuration(), absl::InfiniteDuration()}, "DURATION"),
        "Time between checkpoints. 0: after every step."},
       {"resume", Switch(&options->resume), "Go on from the checkpoint of an interrupted run with the same options."},
       {"search", Number(&options->search, {0, 100'000}, "N"),
        "Random settings to try; the best on validation wins. 0: none."},
       {"search_time", Number(&options->search_time, {absl::Nanoseconds(1), absl::InfiniteDuration()}, "DURATION"),
        "For --search; the best setting by then is trained."},
       {"benchmark", Switch(&options->benchmark),
        "Measure the optimiser step against bare oneDNN and exit; nothing else is then required."}}};
}

// Options that do not change the weights or are not this run's business.
bool ShapesResult(absl::string_view name) {
  return name != "output" && name != "resume" && name != "checkpoint_interval" && name != "benchmark" &&
         name != "data" && name != "tokens";
}

std::vector<std::pair<std::string, std::string>> TextsOf(const OptionTable& table) {
  std::vector<std::pair<std::string, std::string>> texts;
  for (const OptionGroup& group : table.groups) {
    for (const Option& option : group.options) {
      if (ShapesResult(option.name)) texts.emplace_back(option.name, option.value.text());
    }
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

absl::Status FinishColumns(TrainOptions* options) {
  Strings& inputs = options->dataset.inputs;
  Strings& targets = options->dataset.targets;
  if (targets.empty()) {
    return absl::InvalidArgumentError("--target is missing: wanted the columns to predict, or all");
  }
  if (targets == Strings{"all"} && !inputs.empty()) targets = inputs;
  if (inputs.empty()) inputs = targets;
  for (const Strings* names : {&inputs, &targets}) {
    if (std::set<std::string>(names->begin(), names->end()).size() != names->size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          names == &inputs ? "--inputs=" : "--target=", absl::StrJoin(*names, ","), ": wanted each column once"));
    }
  }
  options->series.columns = inputs;
  for (const std::string& target : targets) {
    if (std::find(inputs.begin(), inputs.end(), target) == inputs.end()) options->series.columns.push_back(target);
  }
  return absl::OkStatus();
}

absl::Status FinishSource(TrainOptions* options) {
  if (options->evaluate) {
    if (options->model_path.empty() || options->csv_path.empty()) {
      return absl::InvalidArgumentError("wanted 'rondo-train evaluate MODEL --data=FILE'");
    }
    return absl::OkStatus();
  }
  if (options->csv_path.empty() == options->tokens_path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options->csv_path.empty() ? "neither --data nor --tokens is" : "both --data and --tokens are",
                     " given: wanted one of --data=FILE.csv and --tokens=FILE.txt"));
  }
  while (options->output.size() > 1 && options->output.back() == '/') options->output.pop_back();
  if (options->output.empty()) {
    return absl::InvalidArgumentError("--output is missing: wanted the folder to make, such as models/seattle/1");
  }
  if (!options->from.empty() && (!options->tokens_path.empty() || options->search > 0)) {
    return absl::InvalidArgumentError("--from: wanted --data with it, and neither --tokens nor --search");
  }
  return options->csv_path.empty() || !options->from.empty() ? absl::OkStatus() : FinishColumns(options);
}

// What options must be together.
absl::Status CheckTogether(const TrainOptions& options) {
  const DatasetOptions& dataset = options.dataset;
  if (dataset.validation + dataset.test > 0.9) {
    return absl::InvalidArgumentError(absl::StrCat("--validation=", dataset.validation, " and --test=", dataset.test,
                                                   " leave less than 0.1 to train on: wanted at most 0.9 together"));
  }
  if (!options.tokens_path.empty() && dataset.horizon != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--horizon=", dataset.horizon, ": wanted 1 with --tokens, which predicts the next token"));
  }
  if (options.series.format.thousands == options.series.format.decimal) {
    return absl::InvalidArgumentError("--thousands and --decimal are one mark: wanted two");
  }
  if (options.network.cell != Cell::kRnn && options.network.activation != Activation::kTanh) {
    return absl::InvalidArgumentError("--activation=relu: wanted --cell=rnn with it");
  }
  if (options.search > 0 && options.resume) {
    return absl::InvalidArgumentError("--resume: wanted no --search with it");
  }
  return absl::OkStatus();
}

// Tells whether options were given that only a recurrent network has.
bool WantsRecurrent(const OptionTable& table) {
  constexpr absl::string_view kOfRecurrent[] = {
      "cell",         "layers",     "hidden_size", "gru_reset",    "gru_update", "activation", "loss",
      "window",       "batch_size", "state",       "epochs",       "patience",   "dropout",    "learning_rate",
      "warmup_steps", "decay",      "clip_norm",   "weight_decay", "search",     "from",       "tokens"};
  for (const OptionGroup& group : table.groups) {
    for (const Option& option : group.options) {
      const bool is_its =
          std::find(std::begin(kOfRecurrent), std::end(kOfRecurrent), option.name) != std::end(kOfRecurrent);
      if (is_its && option.value.text() != option.default_text) return true;
    }
  }
  return false;
}

absl::Status Finish(const OptionTable& table, TrainOptions* options) {
  if (options->benchmark) return absl::OkStatus();
  options->texts = TextsOf(table);
  if (WantsRecurrent(table)) {
    if (options->network_kind == NetworkKind::kLinear) {
      return absl::InvalidArgumentError(
          "--network=linear: wanted no option of recurrent networks, and --loss=mse, with it");
    }
    options->network_kind = NetworkKind::kRecurrent;
  }
  absl::Status status = FinishSource(options);
  if (status.ok()) status = CheckTogether(*options);
  Loss& loss = options->learning.loss;
  if (!options->tokens_path.empty()) loss.kind = LossKind::kCrossEntropy;
  if (loss.kind == LossKind::kQuantile) loss.quantiles = options->quantiles;
  options->series.statistics_part = 1 - options->dataset.validation - options->dataset.test;
  return status;
}

}  // namespace

OptionTable TrainOptionTable(TrainOptions* options) {
  OptionTable table;
  table.program = "rondo-train";
  table.about = kAbout;
  table.groups = {Source(options),  Table(options),    Prediction(options),
                  Network(options), Learning(options), Run(options)};
  table.notes = kNotes;
  table.take_word = [options](OptionTable&, const std::string& word) -> absl::StatusOr<CommandLineAsks> {
    if (options->evaluate ? !options->model_path.empty() : word != "evaluate") {
      return absl::InvalidArgumentError(
          absl::StrCat("'", word, "' is no option: wanted --NAME=VALUE, or 'evaluate MODEL --data=FILE'"));
    }
    if (options->evaluate) options->model_path = word;
    options->evaluate = true;
    return CommandLineAsks::kRun;
  };
  table.finish = [options](const OptionTable& read) { return Finish(read, options); };
  table.flagfile_name = "config";
  return table;
}

}  // namespace rondo::train
