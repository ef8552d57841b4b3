#include "model/train/options.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/train/option_checks.h"
#include "model/train/option_values.h"

namespace rondo::train {
namespace {

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

OptionGroup SourceGroup(TrainOptions* options) {
  return {
      "Data; --data or --tokens, --output and, with --data, --target are required",
      {{"data", TextOrNone(&options->csv_path, "FILE"), "CSV file with a header row."},
       {"task",
        Choice(&options->task, {{"forecast", Task::kForecast}, {"classify", Task::kClassify}, {"tag", Task::kTag}}),
        "What is learned: what comes next; the class of a whole sequence, which --target names in each of its rows; "
        "or the class of each row. For the last two --series says of which sequence a row is."},
       {"text", TextOrNone(&options->text_column, "COLUMN"),
        "classify, tag: column of tokens, instead of --inputs; to classify without --series, a text a row."},
       {"class_weights", Choice(&options->balanced_classes, {{"none", false}, {"balanced", true}}),
        "classify, tag: whether rare classes count as much as frequent ones."},
       {"tokens", TextOrNone(&options->tokens.path, "FILE"),
        "Text file of token sequences, one a line, instead of --data."},
       {"output", TextOrNone(&options->output, "DIR"),
        "Folder to make, with the model, its scores and a report; must not exist."},
       {"from", TextOrNone(&options->from, "FILE"),
        "Model file to go on from: its network, columns and statistics; --target and --inputs are then its own."},
       {"target", TextList(&options->dataset.targets, "COLUMNS"),
        "Columns to predict, comma-separated, one with a comma in \"quotes\"; 'all': every input, or without --inputs "
        "every column of the file."},
       {"inputs", TextList(&options->dataset.inputs, "COLUMNS"),
        "Columns that the model reads, comma-separated; empty: the targets."},
       {"known_inputs", TextList(&options->input_columns.known, "COLUMNS"),
        "Inputs that are known before, as holidays or prices: the model reads them of the timesteps it predicts."},
       {"categories", TextList(&options->input_columns.categories, "COLUMNS"),
        "Inputs that are texts or classes: each text is an input that is 1 or 0, with weights of its own."},
       {"series", TextOrNone(&options->series.format.series_column, "COLUMN"),
        "Column that names the series of a row; empty: one series."},
       {"token_unit",
        Choice(&options->tokens.unit, {{"character", TokenUnit::kCharacters}, {"word", TokenUnit::kWords}}),
        "What a token is. A model of characters has them as its vocabulary, so that it is given text."},
       {"token_texts", TextList(&options->tokens.texts, "TOKEN=TEXT"),
        "Other texts for some characters, comma-separated, in the vocabulary: |=\\n for a new line."},
       {"series_scale",
        Choice(&options->series.series_scale,
               {{"auto", SeriesScale::kAuto}, {"own", SeriesScale::kOwn}, {"shared", SeriesScale::kShared}}),
        "Mean and deviation of each series or of all. auto: of each if they differ."}}};
}

OptionGroup TableGroup(TrainOptions* options) {
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

OptionGroup PredictionGroup(TrainOptions* options) {
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

OptionGroup NetworkGroup(TrainOptions* options) {
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
       {"bidirectional", Switch(&network->bidirectional),
        "classify, tag: each layer reads a sequence from both ends, so that an answer knows what comes later. The "
        "model answers whole sequences and has no sessions."},
       {"hidden_size", Number(&network->hidden_size, {0, 16384}, "N"),
        "Units of each layer, in each direction. 0: 16, from 3000 training timesteps on 32, from 30000 on 64; "
        "classify, tag: 64."},
       {"gru_reset", Choice(&network->gru_reset, {{"after", GruReset::kAfter}, {"before", GruReset::kBefore}}),
        "Where a gru's reset gate acts: before or after the recurrent product."},
       {"gru_update", Choice(&network->gru_update, {{"keep", GruUpdate::kKeep}, {"replace", GruUpdate::kReplace}}),
        "What a gru's update gate does with the state."},
       {"activation", Choice(&network->activation, {{"tanh", Activation::kTanh}, {"relu", Activation::kRelu}}),
        "Of an rnn."},
       {"embedding_size", Number(&network->input_size, {1, 16384}, "N"),
        "Numbers that stand for a token; token models only."}}};
}

OptionGroup LearningGroup(TrainOptions* options) {
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
            "Train again on training and validation part for as many epochs as were best. Not kept where sampled bands "
            "were measured on the validation part."},
           {"seed", Number(&learning.seed, {0, std::numeric_limits<uint64_t>::max()}, "N"),
            "Of every random choice; equal seeds and threads give equal weights, bit for bit."}}};
}

OptionGroup RunGroup(TrainOptions* options) {
  return {
      "The run",
      {{"threads", Number(&options->threads, {0, 1024}, "N"),
        "Threads of oneDNN. 0: one for a small network, one a core for a large one; classify, tag: 1."},
       {"checkpoint_interval",
        Number(&options->checkpoint_interval, {absl::ZeroDuration(), absl::InfiniteDuration()}, "DURATION"),
        "Time between checkpoints. 0: after every step."},
       {"resume", Switch(&options->resume), "Go on from the checkpoint of an interrupted run with the same options."},
       {"search", Number(&options->search.settings, {0, 100'000}, "N"),
        "Random settings to try; the best on validation wins. 0: none."},
       {"search_time", Number(&options->search.time, {absl::Nanoseconds(1), absl::InfiniteDuration()}, "DURATION"),
        "For --search; the best setting by then is trained."},
       {"benchmark", Switch(&options->benchmark),
        "Measure the optimiser step against bare oneDNN and exit; nothing else is then required."}}};
}

}  // namespace

OptionTable TrainOptionTable(TrainOptions* options) {
  OptionTable table;
  table.program = "rondo-train";
  table.about = kAbout;
  table.groups = {SourceGroup(options),  TableGroup(options),    PredictionGroup(options),
                  NetworkGroup(options), LearningGroup(options), RunGroup(options)};
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
  table.finish = [options](const OptionTable& read) { return CompleteOptions(read, options); };
  table.flagfile_name = "config";
  return table;
}

}  // namespace rondo::train
