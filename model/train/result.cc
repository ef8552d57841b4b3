#include "model/train/result.h"

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/time_text.h"
#include "model/compute_thread.h"
#include "model/known_answers.h"
#include "model/model_file.h"
#include "model/train/band_calibration.h"
#include "model/train/evaluation.h"
#include "model/train/model_assembly.h"
#include "model/train/output_folder.h"
#include "model/train/report.h"

namespace rondo::train {
namespace {

nlohmann::ordered_json Provenance(const TrainOptions& options, const Source& source, const LearningState& learning,
                                  const Evaluation& evaluation, const std::vector<Rung>& ladder) {
  nlohmann::ordered_json json = ProvenanceOf(options, source.file_name, source.checksum);
  json["data"]["training_timesteps"] = source.dataset.timesteps(Dataset::kTraining);
  json["data"]["validation_timesteps"] = source.dataset.timesteps(Dataset::kValidation);
  json["data"]["test_timesteps"] = source.dataset.timesteps(Dataset::kTest);
  json["hidden_size"] = options.network.hidden_size;
  json["window"] = options.learning.window;
  json["threads"] = options.threads;
  json["steps"] = learning.optimizer.step;
  json["epochs"] = learning.epoch;
  json["best_epoch"] = learning.best_epoch;
  json["validation_loss"] = learning.best_loss;
  for (const Rung& rung : ladder) {
    json["ladder"].push_back(
        {{"network", rung.name}, {"validation_error", rung.validation_error}, {"chosen", rung.chosen}});
  }
  json["scores"] = ScoresJson(evaluation);
  return json;
}

// Returns the chart's lines as a table, which a run of the server can be compared with.
std::string ForecastCsv(const ForecastLine& line) {
  std::string csv =
      absl::StrCat(line.times.empty() ? "" : "time,", "actual,forecast", line.lower.empty() ? "\n" : ",lower,upper\n");
  for (size_t i = 0; i < line.actual.size(); ++i) {
    if (!line.times.empty()) absl::StrAppend(&csv, FormatMicroseconds(line.times[i]), ",");
    absl::StrAppendFormat(&csv, "%.9g,%.9g", line.actual[i], line.forecast[i]);
    if (!line.lower.empty()) absl::StrAppendFormat(&csv, ",%.9g,%.9g", line.lower[i], line.upper[i]);
    csv += '\n';
  }
  return csv;
}

// Says which networks were tried and which one is written.
std::string LadderTable(const std::vector<Rung>& ladder) {
  if (ladder.size() < 2) return "";
  std::string table =
      "networks by their squared error on the validation part (where it is short, on earlier stretches too); the "
      "simplest within 1% of the least is taken, or the mean within 3%, a recurrent one or a mean with it only if it "
      "is "
      "clearly better, and drawn to a naive rule as far as that part is too short to be sure; what is best for each "
      "series only if it is 10% better:\n";
  for (const Rung& rung : ladder) {
    absl::StrAppendFormat(&table, "  %-56s %10.5g%s\n", rung.name, rung.validation_error, rung.chosen ? "  taken" : "");
  }
  return table;
}

std::vector<std::string> Facts(const TrainOptions& options, const Source& source, ModelFile& model,
                               const LearningState& learning) {
  const Dataset& dataset = source.dataset;
  size_t weights = 0;
  for (const TensorSlot& slot : TensorSlots(model.spec, &model.weights)) weights += slot.values->size();
  std::vector<std::string> facts = {
      absl::StrFormat("%s: %d series; %d timesteps to train on, %d to validate, %d to test.", source.file_name,
                      dataset.set().series.size(), dataset.timesteps(Dataset::kTraining),
                      dataset.timesteps(Dataset::kValidation), dataset.timesteps(Dataset::kTest)),
      absl::StrFormat("%d weights, %d optimiser steps in %d epochs, seed %d.", weights, learning.optimizer.step,
                      learning.epoch, options.learning.seed)};
  for (const std::string& note : dataset.set().notes) facts.push_back(absl::StrCat("Note: ", note, "."));
  return facts;
}

// The first timesteps of the data, and what the model answers to them: by these, servers that hold its weights
// otherwise than as float32 judge whether they may.
absl::StatusOr<KnownAnswers> KnownAnswersOf(const Dataset& dataset, const ModelFile& model) {
  constexpr int64_t kMostTimesteps = 32, kMostNumbers = 4096;
  const ModelSpec& spec = model.spec;
  const Series& series = dataset.set().series.front();
  const int64_t inputs = spec.input_size(), columns = static_cast<int64_t>(dataset.set().columns.size());
  const int64_t rows = std::min({kMostTimesteps, kMostNumbers / (inputs + spec.output_size()),
                                 static_cast<int64_t>(series.values.size()) / columns});
  KnownAnswers answers;
  for (int64_t t = 0; t < rows; ++t) {
    const float* const row = &series.values[t * columns];
    answers.inputs.insert(answers.inputs.end(), row, row + inputs);
    if (spec.needs_times()) answers.times.push_back(UnixSeconds(series.times[t]));
  }
  absl::Status status;
  if (rows < 1) return answers;
  std::thread([&] {
    PrepareComputeThread();
    Network::Options options;
    options.weights = WeightFormat::kF32;
    const auto network = Network::Create(spec, model.weights, options);
    status = network.ok() ? Answer(**network, &answers) : network.status();
  }).join();
  if (!status.ok()) return status;
  return answers;
}

}  // namespace

absl::StatusOr<Evaluation> EvaluateModel(const Dataset& dataset, const ModelFile& model, int64_t season,
                                         Dataset::Part part) {
  absl::StatusOr<Evaluation> evaluation = absl::UnknownError("");
  std::thread([&] {
    PrepareComputeThread();
    Network::Options options;
    options.kernel = KernelKind::kRondo;  // what shares the batch changes no bit
    const auto network = Network::Create(model.spec, model.weights, options);
    evaluation = network.ok() ? Evaluate(dataset, **network, season, part) : network.status();
  }).join();
  return evaluation;
}

absl::StatusOr<std::vector<double>> BandFactors(const Dataset& dataset, const ModelFile& model, int64_t steps,
                                                uint64_t seed) {
  absl::StatusOr<std::vector<double>> factors;
  std::thread([&] {
    PrepareComputeThread();
    const auto network = Network::Create(model.spec, model.weights, {});
    if (network.ok()) {
      factors = CalibrateBands(dataset, **network, steps, seed);
    } else {
      factors = network.status();
    }
  }).join();
  return factors;
}

absl::Status WriteResult(const TrainOptions& options, const Source& source, ModelFile model,
                         const LearningState& learning, const std::vector<Rung>& ladder) {
  auto evaluation = EvaluateModel(source.dataset, model, model.spec.table.season);
  if (!evaluation.ok()) return evaluation.status();
  evaluation->squared = options.learning.loss.kind == LossKind::kMse;
  model.spec.training_json = Provenance(options, source, learning, *evaluation, ladder).dump();
  auto known = KnownAnswersOf(source.dataset, model);
  if (!known.ok()) return known.status();
  model.spec.accuracy = *std::move(known);
  const std::string title = absl::StrCat("rondo-train: ", options.output);
  const std::string report =
      RenderReport({model.spec, *evaluation, learning, ladder, title, Facts(options, source, model, learning)});
  const absl::Status written = WriteOutput(options.output, model,
                                           {{"scores.json", ScoresJson(*evaluation).dump(2) + "\n"},
                                            {"forecast.csv", ForecastCsv(evaluation->line)},
                                            {"report.html", report}});
  if (!written.ok()) return written;
  absl::PrintF("%s", LadderTable(ladder));
  absl::PrintF("%swritten to %s: model.safetensors, scores.json, forecast.csv, report.html\n", ScoresTable(*evaluation),
               options.output);
  absl::PrintF("for rondo-server --models_sha256, the line of: sha256sum %s/model.safetensors\n", options.output);
  return absl::OkStatus();
}

}  // namespace rondo::train
