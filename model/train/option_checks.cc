#include "model/train/option_checks.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/invalid.h"
#include "model/train/labelled_run.h"

namespace rondo::train {
namespace {

using Strings = std::vector<std::string>;

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
      return Invalid(names == &inputs ? "--inputs=" : "--target=", absl::StrJoin(*names, ","),
                     ": wanted each column once");
    }
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
  if (options->csv_path.empty() == options->tokens.path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options->csv_path.empty() ? "neither --data nor --tokens is" : "both --data and --tokens are",
                     " given: wanted one of --data=FILE.csv and --tokens=FILE.txt"));
  }
  if (options->output.empty()) {
    return absl::InvalidArgumentError("--output is missing: wanted the folder to make, such as models/seattle/1");
  }
  if (!options->from.empty() && (!options->tokens.path.empty() || options->search.settings > 0)) {
    return absl::InvalidArgumentError("--from: wanted --data with it, and neither --tokens nor --search");
  }
  return options->csv_path.empty() || !options->from.empty() ? absl::OkStatus() : FinishColumns(options);
}

// What options must be together.
absl::Status CheckTogether(const TrainOptions& options) {
  const DatasetOptions& dataset = options.dataset;
  if (dataset.validation + dataset.test > 0.9) {
    return Invalid("--validation=", dataset.validation, " and --test=", dataset.test,
                   " leave less than 0.1 to train on: wanted at most 0.9 together");
  }
  if (!options.tokens.path.empty() && dataset.horizon != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--horizon=", dataset.horizon, ": wanted 1 with --tokens, which predicts the next token"));
  }
  if (options.series.format.thousands == options.series.format.decimal) {
    return absl::InvalidArgumentError("--thousands and --decimal are one mark: wanted two");
  }
  if (options.network.cell != Cell::kRnn && options.network.activation != Activation::kTanh) {
    return absl::InvalidArgumentError("--activation=relu: wanted --cell=rnn with it");
  }
  if (options.network.bidirectional) {
    return absl::InvalidArgumentError(
        "--bidirectional: wanted --task=classify or --task=tag with it; a forecast is made before there is anything to "
        "read from the other end");
  }
  const InputColumns& columns = options.input_columns;
  if ((!columns.known.empty() || !columns.categories.empty()) && (options.csv_path.empty() || !options.from.empty())) {
    return absl::InvalidArgumentError("--known_inputs and --categories: wanted --data with them, and no --from");
  }
  if (options.search.settings > 0 && options.resume) {
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

}  // namespace

absl::Status CompleteOptions(const OptionTable& table, TrainOptions* options) {
  if (options->benchmark) return absl::OkStatus();
  options->texts = TextsOf(table);
  while (options->output.size() > 1 && options->output.back() == '/') options->output.pop_back();
  if (options->task != Task::kForecast && !options->evaluate) return CheckLabelledOptions(table, *options);
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
  if (!options->tokens.path.empty()) loss.kind = LossKind::kCrossEntropy;
  if (loss.kind == LossKind::kQuantile) loss.quantiles = options->quantiles;
  options->series.statistics_part = 1 - options->dataset.validation - options->dataset.test;
  return status;
}

}  // namespace rondo::train
