#include "model/train/base_model.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "base/annotate.h"
#include "base/invalid.h"
#include "model/train/evaluation.h"
#include "model/train/model_assembly.h"
#include "model/train/report.h"
#include "model/train/result.h"
#include "model/train/source.h"

namespace rondo::train {
namespace {

// Takes over what a model says of its data.
absl::Status TakeColumns(const ModelSpec& spec, TrainOptions* options) {
  if (spec.tokens > 0) return absl::InvalidArgumentError("the model takes tokens; wanted one of named inputs");
  if (spec.whole_sequence()) {
    return absl::InvalidArgumentError("the model takes whole sequences only; wanted one that steps");
  }
  DatasetOptions& dataset = options->dataset;
  dataset.inputs.clear();
  dataset.targets.clear();
  for (const InputFeature& input : spec.inputs) {
    dataset.inputs.push_back(input.name);
    dataset.sources.push_back(input.source);
    // The column of the series may have another name in this file. An input that is a column itself says none.
    std::string& column = dataset.sources.back().column;
    const std::string& given_series = options->series.format.series_column;
    if (!given_series.empty() && !column.empty() && column == spec.table.series_column) column = given_series;
  }
  for (const OutputFeature& output : spec.outputs) dataset.targets.push_back(output.name);
  dataset.calendar = spec.calendar;
  dataset.horizon = spec.horizon;
  dataset.known = spec;
  const bool change = !spec.outputs.empty() && !spec.outputs[0].added_to.empty();
  dataset.predict = change ? Predict::kChange : Predict::kValue;
  for (const OutputFeature& output : spec.outputs) {
    if (output.added_to == (change ? output.name : "")) continue;
    return Invalid("the model's output '", output.name, "' is added to '", output.added_to, "'; that cannot be scored");
  }
  // The model's table says how its data is written; what the command line says of the time column comes first.
  const TableFormat given = options->series.format;
  options->series.format = spec.table;
  if (!given.time_column.empty()) options->series.format.time_column = given.time_column;
  if (!given.time_format.empty()) options->series.format.time_format = given.time_format;
  if (!given.series_column.empty()) options->series.format.series_column = given.series_column;
  if (given.missing != Missing::kError) options->series.format.missing = given.missing;
  options->series.keep_units = true;
  return absl::OkStatus();
}

}  // namespace

absl::Status ContinueFrom(const ModelFile& model, TrainOptions* options) {
  const ModelSpec& spec = model.spec;
  if (spec.graph != nullptr) {
    return absl::InvalidArgumentError(
        "the model is a graph of elements; wanted a plain stack of cells (a linear network "
        "is trained anew from all rows in seconds)");
  }
  if (absl::Status status = TakeColumns(spec, options); !status.ok()) return status;
  Loss& loss = options->learning.loss;
  if (spec.head == Head::kSoftmax) return absl::InvalidArgumentError("the model has a softmax head; wanted another");
  if (spec.head == Head::kGaussian) loss.kind = LossKind::kGaussian;
  if (spec.head == Head::kQuantile) loss.kind = LossKind::kQuantile;
  if (spec.head == Head::kLinear && loss.values_per_target() != 1) loss.kind = LossKind::kMse;
  loss.quantiles = spec.quantiles;
  options->network = ShapeOf(spec);
  options->learning.initial = ParametersFromWeights(options->network, model.weights);
  return absl::OkStatus();
}

absl::Status EvaluateOnData(TrainOptions options) {
  const absl::StatusOr<ModelFile> model = ReadModelFile(options.model_path);
  if (!model.ok()) return Annotate(model.status(), options.model_path);
  options.series.may_lack_series = options.series.format.series_column.empty();
  if (absl::Status status = TakeColumns(model->spec, &options); !status.ok())
    return Annotate(status, options.model_path);
  options.dataset.one_part = true;
  const absl::StatusOr<Source> source = ReadSource(options);
  if (!source.ok()) return source.status();
  for (const std::string& note : source->dataset.set().notes) absl::FPrintF(stderr, "note: %s\n", note);
  const int64_t season = options.season != 0 ? std::max<int64_t>(0, options.season) : model->spec.table.season;
  auto evaluation = EvaluateModel(source->dataset, *model, season);
  if (!evaluation.ok()) return evaluation.status();
  evaluation->squared = model->spec.head == Head::kLinear;
  absl::PrintF("%s", ScoresTable(*evaluation));
  return absl::OkStatus();
}

}  // namespace rondo::train
