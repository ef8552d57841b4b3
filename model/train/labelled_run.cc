#include "model/train/labelled_run.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/cpu_limit.h"
#include "base/files.h"
#include "base/invalid.h"
#include "model/checksum.h"
#include "model/compute_thread.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/train/annotate.h"
#include "model/train/labelled_scores.h"
#include "model/train/labelled_trainer.h"
#include "model/train/model_assembly.h"
#include "model/train/output_folder.h"
#include "model/train/source.h"
#include "model/train/svg_chart.h"

namespace rondo::train {
namespace {

constexpr int64_t kDefaultHiddenSize = 64;

constexpr char kPage[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title><style>"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:940px;margin:24px auto;padding:0 16px;color:#222}"
    "svg{width:100%%;height:auto}.grid{stroke:#e3e3e3}table{border-collapse:collapse}"
    "td,th{padding:4px 10px;text-align:right}td:first-child,th:first-child{text-align:left}</style>"
    "<h1>%s</h1>%s<h2>Scores on the test part</h2>%s<h2>Loss by epoch</h2>%s</html>\n";

LabelledOptions DataOptions(const TrainOptions& options) {
  LabelledOptions made;
  made.task = options.task;
  made.label_column = options.dataset.targets.front();
  made.inputs = options.dataset.inputs;
  made.text_column = options.text_column;
  made.sequence_column = options.series.format.series_column;
  made.token_unit = options.tokens.unit;
  made.format = options.series.format;
  made.validation = options.dataset.validation;
  made.test = options.dataset.test;
  made.seed = options.learning.seed;
  return made;
}

// Rare classes count as much as frequent ones: labels / (classes * labels of the class).
std::vector<double> BalancedWeights(const std::vector<double>& counts) {
  double total = 0;
  for (const double count : counts) total += count;
  std::vector<double> weights;
  for (const double count : counts) {
    weights.push_back(count == 0 ? 0 : total / (static_cast<double>(counts.size()) * count));
  }
  return weights;
}

// Asks the network for the classes of the test part.
void Score(const LabelledData& data, const Network& network, LabelledScores* scores) {
  const auto input_size = static_cast<size_t>(data.spec.input_size());
  std::vector<float> output(data.spec.outputs.size());
  double losses = 0;
  for (const size_t index : data.parts[LabelledData::kTest]) {
    const LabelledSequence& sequence = data.sequences[index];
    std::vector<float> state(static_cast<size_t>(network.spec().state_size()));
    for (size_t t = 0; t < sequence.timesteps; ++t) {
      StepRow row;
      row.input = sequence.inputs.data() + t * input_size;
      row.state_in = row.state_out = state.data();
      row.output = output.data();
      network.Step({&row, 1});
      const bool counts = data.task == Task::kTag || t + 1 == sequence.timesteps;
      const int32_t label = !counts ? kNoLabel : sequence.labels[data.task == Task::kTag ? t : 0];
      if (label == kNoLabel) continue;
      const auto answer = static_cast<size_t>(std::max_element(output.begin(), output.end()) - output.begin());
      scores->matrix.Add(static_cast<size_t>(label), answer);
      losses -= std::log(std::max(1e-30, static_cast<double>(output[static_cast<size_t>(label)])));
    }
  }
  scores->log_loss = losses / static_cast<double>(std::max<int64_t>(1, scores->matrix.total()));
}

absl::StatusOr<LabelledScores> ScoreModel(const LabelledData& data, const ModelFile& model) {
  std::vector<std::string> classes;
  for (const OutputFeature& output : data.spec.outputs) classes.push_back(output.name);
  LabelledScores scores{ConfusionMatrix(std::move(classes))};
  absl::Status status;
  std::thread([&] {
    PrepareComputeThread();
    const auto network = Network::Create(model.spec, model.weights, {});
    status = network.status();
    if (network.ok()) Score(data, **network, &scores);
  }).join();
  if (!status.ok()) return status;
  const std::vector<double> learned = data.CountLabels(LabelledData::kTraining);
  const auto frequent = static_cast<size_t>(std::max_element(learned.begin(), learned.end()) - learned.begin());
  scores.frequent_accuracy = static_cast<double>(scores.matrix.actual(frequent)) /
                             static_cast<double>(std::max<int64_t>(1, scores.matrix.total()));
  return scores;
}

std::string Facts(const LabelledData& data, const LabelledTrainer& trainer) {
  return absl::StrFormat(
      "%d sequences to train on, %d to validate, %d to test; %d classes. %d weights, %d optimiser "
      "steps in %d epochs, of which the %d. is kept.",
      data.parts[LabelledData::kTraining].size(), data.parts[LabelledData::kValidation].size(),
      data.parts[LabelledData::kTest].size(), data.spec.outputs.size(), trainer.best_parameters().size(),
      trainer.progress().steps, trainer.progress().epoch, trainer.progress().best_epoch);
}

std::string Report(const std::string& title, const LabelledScores& scores, const LabelledTrainer& trainer,
                   const std::string& facts) {
  LineChart chart;
  chart.x_label = "epoch";
  chart.y_label = "loss";
  chart.first_x = 1;
  chart.lines = {{"training", "#1f5fbf", trainer.training_losses()},
                 {"validation", "#d08a1d", trainer.validation_losses()}};
  return absl::StrFormat(kPage, EscapeHtml(title), EscapeHtml(title), absl::StrCat("<p>", EscapeHtml(facts), "</p>"),
                         ScoresHtml(scores), RenderLineChart(chart));
}

absl::Status Write(const TrainOptions& options, const LabelledData& data, const LabelledTrainer& trainer,
                   uint64_t checksum, ModelFile model) {
  const absl::StatusOr<LabelledScores> scores = ScoreModel(data, model);
  if (!scores.ok()) return scores.status();
  nlohmann::ordered_json json =
      ProvenanceOf(options, std::filesystem::path(options.csv_path).filename().string(), checksum);
  json["epochs"] = trainer.progress().epoch;
  json["best_epoch"] = trainer.progress().best_epoch;
  json["scores"] = ScoresJson(*scores);
  model.spec.training_json = json.dump();
  const std::string facts = Facts(data, trainer);
  const std::string report = Report(absl::StrCat("rondo-train: ", options.output), *scores, trainer, facts);
  const absl::Status written = WriteOutput(
      options.output, model, {{"scores.json", ScoresJson(*scores).dump(2) + "\n"}, {"report.html", report}});
  if (!written.ok()) return written;
  absl::PrintF("%s\n%swritten to %s: model.safetensors, scores.json, report.html\n", facts, ScoresTable(*scores),
               options.output);
  return absl::OkStatus();
}

// Says on stderr how a run goes, now and then.
class Progress {
 public:
  void Say(const LabelledProgress& at) {
    if (absl::Now() < next_) return;
    absl::FPrintF(stderr, "epoch %d: training loss %.4f, validation loss %.4f, best in epoch %d, learning rate %.2g\n",
                  at.epoch, at.training_loss, at.validation_loss, at.best_epoch, at.learning_rate);
    next_ = absl::Now() + absl::Seconds(isatty(STDERR_FILENO) != 0 ? 1 : 10);
  }

 private:
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace

absl::Status CheckLabelledOptions(const OptionTable& table, const TrainOptions& options) {
  const std::string task = options.task == Task::kTag ? "--task=tag" : "--task=classify";
  constexpr absl::string_view kNotTaken[] = {
      "network",     "irregular",           "predict",  "series_scale", "time_zone", "sort",   "window_inputs",
      "refit",       "time_format",         "calendar", "duplicates",   "resume",    "season", "quantiles",
      "search_time", "checkpoint_interval", "window",   "search",       "state",     "from",   "tokens",
      "horizon",     "columns_as_series",   "loss",     "time",         "missing",   "step"};
  for (const OptionGroup& group : table.groups) {
    for (const Option& option : group.options) {
      const bool taken = std::find(std::begin(kNotTaken), std::end(kNotTaken), option.name) == std::end(kNotTaken);
      if (taken || option.value.text() == option.default_text) continue;
      return Invalid("--", option.name, ": wanted no such option with ", task);
    }
  }
  if (options.csv_path.empty()) return Invalid(task, ": wanted --data=FILE.csv with it");
  if (options.output.empty()) return absl::InvalidArgumentError("--output is missing: wanted the folder to make");
  if (options.dataset.targets.size() != 1) {
    return Invalid("--target has ", options.dataset.targets.size(), " columns; ", task,
                   " takes one, that of the labels");
  }
  if (options.dataset.inputs.empty() == options.text_column.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(task, ": wanted one of --inputs, columns of numbers, and --text, a column of text"));
  }
  const bool rows = !options.series.format.series_column.empty();
  if (!rows && (options.task == Task::kTag || options.text_column.empty())) {
    return Invalid(task, ": wanted --series, the column that says of which sequence a row is",
                   options.task == Task::kTag ? "" : ", or --text, a sequence a row");
  }
  if (options.dataset.validation + options.dataset.test > 0.9) {
    return absl::InvalidArgumentError("--validation and --test leave less than 0.1 to train on");
  }
  return absl::OkStatus();
}

absl::Status RunLabelled(TrainOptions options, const std::atomic<Interrupt>& interrupt) {
  if (absl::Status status = CheckAbsent(options.output); !status.ok()) return status;
  const absl::StatusOr<std::string> text = ReadSmallFile(options.csv_path, kMaxSourceBytes);
  if (!text.ok()) return Annotate(text.status(), options.csv_path);
  const auto table = ParseCsv(*text, options.series.format.delimiter);
  if (!table.ok()) return Annotate(table.status(), options.csv_path);
  absl::StatusOr<LabelledData> data = ReadLabelled(*table, DataOptions(options));
  if (!data.ok()) return Annotate(data.status(), options.csv_path);
  if (options.network.hidden_size == 0) options.network.hidden_size = kDefaultHiddenSize;
  ModelSpec& spec = data->spec;
  spec.cell = options.network.cell;
  spec.gru_reset = options.network.gru_reset;
  spec.gru_update = options.network.gru_update;
  spec.activation = options.network.activation;
  spec.num_layers = options.network.num_layers;
  spec.hidden_size = options.network.hidden_size;
  if (spec.tokens > 0) spec.embedding_size = options.network.input_size;
  if (absl::Status status = spec.Validate(); !status.ok()) return status;
  Loss& loss = options.learning.loss;
  loss.kind = LossKind::kCrossEntropy;
  loss.classes = static_cast<int64_t>(spec.outputs.size());
  if (options.balanced_classes) loss.class_weights = BalancedWeights(data->CountLabels(LabelledData::kTraining));
  PrepareTrainingThread(options.threads == 0 ? 1 : options.threads);
  LabelledTrainer trainer(*data, ShapeOf(spec), options.learning);
  Progress progress;
  const absl::Status trained = trainer.Run([&](const LabelledProgress& at) {
    progress.Say(at);
    return interrupt.load() == Interrupt::kNone;
  });
  if (!trained.ok() && !absl::IsAborted(trained)) return trained;
  if (interrupt.load() == Interrupt::kStop) return absl::CancelledError("stopped; nothing was written");
  const ModelFile model = {spec, WeightsFromParameters(ShapeOf(spec), trainer.best_parameters())};
  const absl::Status written = Write(options, *data, trainer, Checksum(*text), model);
  return written.ok() ? trained : written;
}

}  // namespace rondo::train
