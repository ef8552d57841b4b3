#include "model/train/labelled_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "base/annotate.h"
#include "base/files.h"
#include "base/invalid.h"
#include "model/checksum.h"
#include "model/model_file.h"
#include "model/train/bidirectional_graph.h"
#include "model/train/labelled_result.h"
#include "model/train/labelled_trainer.h"
#include "model/train/model_assembly.h"
#include "model/train/output_folder.h"
#include "model/train/run_checkpoint.h"
#include "model/train/source.h"
#include "model/whole_sequence.h"

namespace rondo::train {
namespace {

constexpr int64_t kDefaultHiddenSize = 64;

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

// Joins what the data says of a model with the cell and sizes that were asked for.
ModelSpec StackOf(const LabelledData& data, const NetworkShape& network) {
  ModelSpec spec = data.spec;
  spec.cell = network.cell;
  spec.gru_reset = network.gru_reset;
  spec.gru_update = network.gru_update;
  spec.activation = network.activation;
  spec.num_layers = network.num_layers;
  spec.hidden_size = network.hidden_size == 0 ? kDefaultHiddenSize : network.hidden_size;
  if (spec.tokens > 0) spec.embedding_size = network.input_size;
  return spec;
}

absl::StatusOr<ModelFile> LabelledModel(const LabelledData& data, const ModelSpec& stack, const NetworkShape& shape,
                                        const std::vector<float>& parameters) {
  if (!shape.bidirectional) return ModelFile{stack, WeightsFromParameters(shape, parameters)};
  NetworkGraph graph = BidirectionalGraph(shape, parameters);
  graph.outputs = data.spec.outputs;
  absl::StatusOr<ModelFile> model = ModelOf(data.spec, graph);
  if (!model.ok()) return model.status();
  if (absl::Status status = model->spec.Validate(); !status.ok()) return status;
  return model;
}

// Checks that the network may be as large as was asked for, before it is trained.
absl::Status CheckNetwork(const LabelledData& data, const ModelSpec& stack, const NetworkShape& shape) {
  if (absl::Status status = stack.Validate(); !status.ok() || !shape.bidirectional) return status;
  const auto model = LabelledModel(data, stack, shape, std::vector<float>(ParameterLayout(shape).size()));
  if (!model.ok()) return model.status();
  size_t longest = 0;
  for (const LabelledSequence& sequence : data.sequences) longest = std::max(longest, sequence.timesteps);
  const size_t most = MaxWholeTimesteps(*model->spec.graph);
  if (longest <= most) return absl::OkStatus();
  return Invalid("a sequence has ", longest,
                 " timesteps; a bidirectional network of this size takes whole sequences of ", most,
                 " at most: wanted a smaller --hidden_size, fewer --layers or shorter sequences");
}

// Trains with a line on stderr now and then and checkpoints, from where an interrupted run was if asked to.
absl::Status Train(const std::atomic<Interrupt>& interrupt, RunCheckpoint* checkpoint, LabelledTrainer* trainer) {
  absl::StatusOr<std::optional<LearningState>> begun = checkpoint->Begin();
  if (!begun.ok()) return begun.status();
  if (begun->has_value()) {
    if (absl::Status status = trainer->Resume(**std::move(begun)); !status.ok()) return status;
  }
  Progress progress;
  LabelledTrainer::Hooks hooks;
  hooks.on_step = [&](const LabelledTrainer& at) {
    checkpoint->StoreNowAndThen(at.state());
    return interrupt.load() != Interrupt::kStop;
  };
  hooks.on_epoch = [&](const LabelledProgress& at) {
    progress.Say(at);
    return interrupt.load() == Interrupt::kNone;
  };
  const absl::Status trained = trainer->Run(hooks);
  if (trained.ok() || absl::IsAborted(trained)) checkpoint->Store(trainer->state());
  return trained;
}

}  // namespace

absl::Status CheckLabelledOptions(const OptionTable& table, const TrainOptions& options) {
  const std::string task = options.task == Task::kTag ? "--task=tag" : "--task=classify";
  constexpr absl::string_view kNotTaken[] = {
      "network", "irregular",   "predict",  "series_scale", "time_zone", "sort",      "window_inputs",
      "refit",   "time_format", "calendar", "duplicates",   "season",    "quantiles", "search_time",
      "window",  "search",      "state",    "from",         "tokens",    "horizon",   "columns_as_series",
      "loss",    "time",        "missing",  "step"};
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
  const absl::StatusOr<LabelledData> data = ReadLabelled(*table, DataOptions(options));
  if (!data.ok()) return Annotate(data.status(), options.csv_path);
  const ModelSpec stack = StackOf(*data, options.network);
  NetworkShape shape = ShapeOf(stack);
  shape.bidirectional = options.network.bidirectional;
  shape.head_of_ends = shape.bidirectional && options.task == Task::kClassify;
  if (absl::Status status = CheckNetwork(*data, stack, shape); !status.ok()) return status;
  Loss& loss = options.learning.loss;
  loss.kind = LossKind::kCrossEntropy;
  loss.classes = static_cast<int64_t>(stack.outputs.size());
  if (options.balanced_classes) loss.class_weights = BalancedWeights(data->CountLabels(LabelledData::kTraining));
  if (options.threads == 0) options.threads = 1;
  PrepareTrainingThread(options.threads);
  LabelledTrainer trainer(*data, shape, options.learning);
  const uint64_t checksum = Checksum(*text);
  RunCheckpoint checkpoint(options, checksum);
  const absl::Status trained = Train(interrupt, &checkpoint, &trainer);
  if (!trained.ok() && !absl::IsAborted(trained)) return trained;
  if (interrupt.load() == Interrupt::kStop) {
    return absl::CancelledError(absl::StrCat("stopped; --resume goes on from ", checkpoint.path()));
  }
  absl::StatusOr<ModelFile> model = LabelledModel(*data, stack, shape, trainer.state().best_parameters);
  if (!model.ok()) return model.status();
  const LabelledResult result = {*data, shape, trainer.state(), checksum};
  if (absl::Status status = WriteLabelled(options, result, *std::move(model)); !status.ok()) {
    return Annotate(status, absl::StrCat("the training is kept in ", checkpoint.path(), " for --resume"));
  }
  checkpoint.Remove();
  return trained;
}

}  // namespace rondo::train
