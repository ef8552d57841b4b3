#include "model/train/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/annotate.h"
#include "base/cpu_limit.h"
#include "base/invalid.h"
#include "model/model_file.h"
#include "model/train/base_model.h"
#include "model/train/evaluation.h"
#include "model/train/ladder.h"
#include "model/train/model_assembly.h"
#include "model/train/output_folder.h"
#include "model/train/progress.h"
#include "model/train/result.h"
#include "model/train/run_checkpoint.h"
#include "model/train/search.h"
#include "model/train/season.h"
#include "model/train/source.h"

namespace rondo::train {
namespace {

constexpr int64_t kDefaultWindow = 32;

// Chooses a window no longer than the parts; one that was asked for must fit.
absl::Status ChooseWindow(const Dataset& dataset, LearningOptions& learning) {
  const int64_t training = dataset.longest_segment(Dataset::kTraining);
  const int64_t test = dataset.longest_segment(Dataset::kTest);
  const int64_t most = dataset.spec().tokens > 0 ? training : std::min(training, test);
  if (learning.window == 0) {
    learning.window = std::min(kDefaultWindow, most);
  } else if (learning.window > most) {
    return Invalid("--window=", learning.window, " is longer than a part of the data: training has ", training,
                   " timesteps in a row, test ", test);
  }
  return absl::OkStatus();
}

// Chooses the units of a layer: few for few timesteps, or the network learns them by heart.
int64_t ChooseHiddenSize(const Dataset& dataset, int64_t asked) {
  if (asked > 0) return asked;
  const int64_t timesteps = dataset.timesteps(Dataset::kTraining);
  return timesteps < 3000 ? 16 : timesteps < 30000 ? 32 : 64;
}

// Chooses the threads. oneDNN's meet several times a timestep, so that for little work they wait for each other longer
// than they compute.
int ChooseThreads(const NetworkShape& shape, const LearningOptions& learning, int asked) {
  if (asked > 0) return asked;
  constexpr double kFlopsWorthSharing = 4e6;
  const double width = shape.hidden_size + std::max(shape.hidden_size, shape.input_size);
  const double flops = 2.0 * shape.gates() * shape.hidden_size * width * learning.batch_size;
  return flops < kFlopsWorthSharing ? 1 : AvailableCpus();
}

// Trains with a progress line and checkpoints.
absl::Status Train(const std::atomic<Interrupt>& interrupt, RunCheckpoint* checkpoint, Trainer* trainer) {
  ProgressLine progress(isatty(STDERR_FILENO) != 0);
  Trainer::Hooks hooks;
  hooks.stop = [&interrupt] { return interrupt.load() != Interrupt::kNone; };
  hooks.on_epoch = [&](const Trainer& at) { progress.EndEpoch(at); };
  hooks.on_step = [&](const Trainer& at) { checkpoint->StoreNowAndThen(at.state()); };
  const absl::Status status = trainer->Run(hooks);
  progress.Finish();
  // A checkpoint is written at the end too, so that a result which cannot be written costs no training.
  if (status.ok() || absl::IsAborted(status)) checkpoint->Store(trainer->state());
  return status;
}

// Adds the network that was trained, with bands that cover what they say.
absl::Status AddTrained(const TrainOptions& options, const Dataset& dataset, const ModelSpec& spec,
                        const LearningState& learning, Ladder* ladder) {
  const NetworkShape shape = ShapeOf(spec);
  const bool refitted = !learning.learned_parameters.empty();
  // The bands are measured on the part that the network has not seen, and hold for that network alone: one that has
  // learned this part too is surer than it may be.
  ModelFile model = {spec,
                     WeightsFromParameters(shape, refitted ? learning.learned_parameters : learning.best_parameters)};
  const auto factors = BandFactors(dataset, model, std::max<int64_t>(48, ladder->season()), options.learning.seed);
  if (!factors.ok()) return factors.status();
  model.spec.band_factors = *factors;
  const Weights before_refit = model.weights;
  if (factors->empty()) model.weights = WeightsFromParameters(shape, learning.best_parameters);
  return ladder->AddRecurrent(absl::StrCat(CellName(spec.cell), " of ", spec.num_layers, " x ", spec.hidden_size),
                              learning.best_loss, before_refit, std::move(model));
}

// Chooses a network and writes it. CANCELLED: SIGTERM came before one was chosen.
absl::Status WriteChosen(const TrainOptions& options, const Source& source, int64_t season,
                         const std::atomic<Interrupt>& interrupt, const LearningState& learning, Ladder* ladder) {
  if (options.network_kind != NetworkKind::kRecurrent) {
    if (absl::Status status = ladder->AddMeans(); !status.ok()) return status;
    if (absl::Status status = ladder->AddDrawn(); !status.ok()) return status;
    const auto stop = [&] { return interrupt.load() != Interrupt::kNone; };
    if (absl::Status status = ladder->AddOfEachSeries(options, stop); !status.ok()) return status;
  }
  if (interrupt.load() == Interrupt::kStop) return absl::CancelledError("stopped; nothing was written");
  ModelFile model = ladder->Choose();
  model.spec.table.season = season;
  if (ladder->knows_series()) {
    const Source with = {source.dataset.WithSeriesInputs(), source.file_name, source.checksum};
    return WriteResult(options, with, std::move(model), learning, ladder->rungs());
  }
  return WriteResult(options, source, std::move(model), learning, ladder->rungs());
}

// Reads the model file that the options say to go on from, if any, and takes its network over.
absl::Status TakeNetworkToGoOnFrom(TrainOptions* options) {
  if (options->from.empty()) return absl::OkStatus();
  const absl::StatusOr<ModelFile> base = ReadModelFile(options->from);
  if (!base.ok()) return base.status();
  if (absl::Status status = ContinueFrom(*base, options); !status.ok()) return status;
  absl::FPrintF(stderr, "note: the network is that of %s, so a server with --adopt_sessions lets its sessions go on\n",
                options->from);
  return absl::OkStatus();
}

// Trains the recurrent network, adds it to the ladder and writes what the ladder chooses. ABORTED: the training
// diverged, and the best network before that is written.
absl::Status TrainRecurrent(const TrainOptions& options, const Source& source, int64_t season,
                            const std::atomic<Interrupt>& interrupt, Ladder* ladder) {
  const ModelSpec spec = SpecOf(source.dataset, options.network, options.learning.loss);
  if (absl::Status status = spec.Validate(); !status.ok()) return status;
  auto trainer = Trainer::Create(source.dataset, ShapeOf(spec), options.learning);
  if (!trainer.ok()) return trainer.status();
  RunCheckpoint checkpoint(options, source.checksum);
  absl::StatusOr<std::optional<LearningState>> begun = checkpoint.Begin();
  if (!begun.ok()) return begun.status();
  if (begun->has_value()) {
    if (absl::Status status = (*trainer)->Resume(**std::move(begun)); !status.ok()) return status;
  }
  const absl::Status trained = Train(interrupt, &checkpoint, trainer->get());
  if (!trained.ok() && !absl::IsAborted(trained)) return trained;
  if (interrupt.load() == Interrupt::kStop) {
    return absl::CancelledError(absl::StrCat("stopped; --resume goes on from ", checkpoint.path()));
  }
  const LearningState& learning = (*trainer)->state();
  if (absl::Status status = AddTrained(options, source.dataset, spec, learning, ladder); !status.ok()) return status;
  if (absl::Status status = WriteChosen(options, source, season, interrupt, learning, ladder); !status.ok()) {
    return Annotate(status, absl::StrCat("the training is kept in ", checkpoint.path(), " for --resume"));
  }
  checkpoint.Remove();
  return trained;
}

}  // namespace

absl::Status RunTraining(TrainOptions options, const std::atomic<Interrupt>& interrupt) {
  if (absl::Status status = CheckAbsent(options.output); !status.ok()) return status;
  if (absl::Status status = TakeNetworkToGoOnFrom(&options); !status.ok()) return Annotate(status, options.from);
  const absl::StatusOr<Source> source = ReadSource(options);
  if (!source.ok()) return source.status();
  const Dataset& dataset = source->dataset;
  for (const std::string& note : dataset.set().notes) absl::FPrintF(stderr, "note: %s\n", note);
  if (dataset.spec().tokens > 0) options.learning.loss.classes = dataset.spec().tokens;
  if (absl::Status status = ChooseWindow(dataset, options.learning); !status.ok()) return status;
  options.network.hidden_size = ChooseHiddenSize(dataset, options.network.hidden_size);
  options.threads = ChooseThreads(ShapeOf(SpecOf(dataset, options.network, options.learning.loss)), options.learning,
                                  options.threads);
  PrepareTrainingThread(options.threads);
  if (options.search.settings > 0) {
    auto stop = [&] { return interrupt.load() != Interrupt::kNone; };
    if (absl::Status status = ChooseSettings(dataset, stop, &options); !status.ok()) return status;
  }
  int64_t season = std::max<int64_t>(0, options.season);
  if (options.season == 0 && dataset.spec().tokens == 0) season = FindSeason(dataset);
  Ladder ladder(dataset, season);
  if (options.network_kind != NetworkKind::kRecurrent) {
    if (absl::Status status = ladder.AddLinear(options, [&] { return interrupt.load() != Interrupt::kNone; });
        !status.ok()) {
      return status;
    }
  }
  if (options.network_kind == NetworkKind::kLinear) {
    if (!ladder.empty()) return WriteChosen(options, *source, season, interrupt, {}, &ladder);
    return absl::InvalidArgumentError("--network=linear: wanted at most 160 targets and fewer than 54 inputs");
  }
  return TrainRecurrent(options, *source, season, interrupt, &ladder);
}

}  // namespace rondo::train
