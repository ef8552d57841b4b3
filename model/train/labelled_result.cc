#include "model/train/labelled_result.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/compute_thread.h"
#include "model/network.h"
#include "model/train/labelled_scores.h"
#include "model/train/output_folder.h"
#include "model/train/source.h"
#include "model/train/svg_chart.h"

namespace rondo::train {
namespace {

constexpr char kPage[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>%s</title><style>"
    "body{font:15px/1.45 system-ui,sans-serif;max-width:940px;margin:24px auto;padding:0 16px;color:#222}"
    "svg{width:100%%;height:auto}.grid{stroke:#e3e3e3}table{border-collapse:collapse}"
    "td,th{padding:4px 10px;text-align:right}td:first-child,th:first-child{text-align:left}</style>"
    "<h1>%s</h1>%s<h2>Scores on the test part</h2>%s<h2>Loss by epoch</h2>%s</html>\n";

// Returns what the network answers to each timestep of a sequence.
std::vector<float> AnswersTo(const LabelledSequence& sequence, const Network& network) {
  const auto width = static_cast<size_t>(network.spec().input_size());
  const size_t classes = network.spec().outputs.size();
  std::vector<float> answers(sequence.timesteps * classes);
  if (network.spec().whole_sequence()) {
    WholeSequence whole;
    whole.inputs = sequence.inputs.data();
    whole.timesteps = sequence.timesteps;
    whole.outputs = answers.data();
    network.RunWhole({&whole, 1});
    return answers;
  }
  std::vector<float> state(static_cast<size_t>(network.spec().state_size()));
  for (size_t t = 0; t < sequence.timesteps; ++t) {
    StepRow row;
    row.input = sequence.inputs.data() + t * width;
    row.state_in = row.state_out = state.data();
    row.output = answers.data() + t * classes;
    network.Step({&row, 1});
  }
  return answers;
}

// Asks the network for the classes of the test part.
void Score(const LabelledData& data, const Network& network, LabelledScores* scores) {
  const size_t classes = data.spec.outputs.size();
  double losses = 0;
  for (const size_t index : data.parts[LabelledData::kTest]) {
    const LabelledSequence& sequence = data.sequences[index];
    const std::vector<float> answers = AnswersTo(sequence, network);
    for (size_t k = 0; k < sequence.labels.size(); ++k) {
      const int32_t label = sequence.labels[k];
      if (label == kNoLabel) continue;
      const float* answer = &answers[(data.task == Task::kTag ? k : sequence.timesteps - 1) * classes];
      scores->matrix.Add(static_cast<size_t>(label),
                         static_cast<size_t>(std::max_element(answer, answer + classes) - answer));
      losses -= std::log(std::max(1e-30, static_cast<double>(answer[label])));
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

std::string Facts(const LabelledResult& result) {
  const LabelledData& data = result.data;
  const NetworkShape& shape = result.shape;
  return absl::StrFormat(
      "%d sequences to train on, %d to validate, %d to test; %d classes. %s of %d x %d%s: %d weights, %d optimiser "
      "steps in %d epochs, of which the %d. is kept.",
      data.parts[LabelledData::kTraining].size(), data.parts[LabelledData::kValidation].size(),
      data.parts[LabelledData::kTest].size(), data.spec.outputs.size(), CellName(shape.cell), shape.num_layers,
      shape.hidden_size, shape.bidirectional ? ", bidirectional" : "", result.learning.best_parameters.size(),
      result.learning.optimizer.step, result.learning.epoch, result.learning.best_epoch);
}

std::string Report(const std::string& title, const LabelledScores& scores, const LearningState& learning,
                   const std::string& facts) {
  LineChart chart;
  chart.x_label = "epoch";
  chart.y_label = "loss";
  chart.first_x = 1;
  chart.lines = {{"training", "#1f5fbf", learning.training_losses},
                 {"validation", "#d08a1d", learning.validation_losses}};
  return absl::StrFormat(kPage, EscapeHtml(title), EscapeHtml(title), absl::StrCat("<p>", EscapeHtml(facts), "</p>"),
                         ScoresHtml(scores), RenderLineChart(chart));
}

}  // namespace

absl::Status WriteLabelled(const TrainOptions& options, const LabelledResult& result, ModelFile model) {
  const absl::StatusOr<LabelledScores> scores = ScoreModel(result.data, model);
  if (!scores.ok()) return scores.status();
  nlohmann::ordered_json json =
      ProvenanceOf(options, std::filesystem::path(options.csv_path).filename().string(), result.checksum_of_data);
  json["epochs"] = result.learning.epoch;
  json["best_epoch"] = result.learning.best_epoch;
  json["validation_loss"] = result.learning.best_loss;
  json["scores"] = ScoresJson(*scores);
  model.spec.training_json = json.dump();
  const std::string facts = Facts(result);
  const std::string report = Report(absl::StrCat("rondo-train: ", options.output), *scores, result.learning, facts);
  const absl::Status written = WriteOutput(
      options.output, model, {{"scores.json", ScoresJson(*scores).dump(2) + "\n"}, {"report.html", report}});
  if (!written.ok()) return written;
  absl::PrintF("%s\n%swritten to %s: model.safetensors, scores.json, report.html\n", facts, ScoresTable(*scores),
               options.output);
  return absl::OkStatus();
}

}  // namespace rondo::train
