#include "model/train/search.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "model/train/model_assembly.h"
#include "model/train/random.h"

namespace rondo::train {
namespace {

template <typename T>
T OneOf(Random& random, std::initializer_list<T> choices) {
  return *(choices.begin() + random.Below(choices.size()));
}

double LogUniform(Random& random, double low, double high) {
  return std::exp(random.Uniform(std::log(low), std::log(high)));
}

struct Setting {
  NetworkShape network;
  LearningOptions learning;
};

Setting Draw(const Setting& given, Random& random) {
  Setting setting = given;
  setting.network.cell = OneOf(random, {Cell::kLstm, Cell::kGru});
  setting.network.num_layers = OneOf<int64_t>(random, {1, 1, 2});
  setting.network.hidden_size = OneOf<int64_t>(random, {8, 16, 32, 64, 96});
  setting.network.activation = Activation::kTanh;
  setting.learning.window = std::max<int64_t>(2, given.learning.window * OneOf(random, {0.25, 0.5, 1.0, 1.0}));
  setting.learning.batch_size = OneOf<int64_t>(random, {8, 16, 32});
  setting.learning.learning_rate = LogUniform(random, 5e-4, 2e-2);
  setting.learning.weight_decay = LogUniform(random, 1e-3, 1);
  setting.learning.dropout = setting.network.num_layers > 1 ? random.Uniform(0, 0.4) : 0;
  return setting;
}

std::string Describe(const Setting& setting) {
  return absl::StrFormat("%s %dx%d window %d batch %d rate %.2g decay %.2g dropout %.2g",
                         std::string(CellName(setting.network.cell)), setting.network.num_layers,
                         setting.network.hidden_size, setting.learning.window, setting.learning.batch_size,
                         setting.learning.learning_rate, setting.learning.weight_decay, setting.learning.dropout);
}

// Returns the least validation loss; nothing if the run diverged or was stopped.
absl::StatusOr<std::optional<double>> Try(const Dataset& dataset, const Setting& setting,
                                          const std::function<bool()>& stop) {
  const NetworkShape shape = ShapeOf(SpecOf(dataset, setting.network, setting.learning.loss));
  LearningOptions learning = setting.learning;
  learning.refit = false;
  auto trainer = Trainer::Create(dataset, shape, learning);
  if (!trainer.ok()) return trainer.status();
  const Trainer::Hooks hooks = {stop, [](const Trainer&) {}, [](const Trainer&) {}};
  const absl::Status status = (*trainer)->Run(hooks);
  if (absl::IsAborted(status) || stop()) return std::optional<double>();
  if (!status.ok()) return status;
  return std::optional<double>((*trainer)->state().best_loss);
}

}  // namespace

absl::Status ChooseSettings(const Dataset& dataset, const std::function<bool()>& stop, TrainOptions* options) {
  const absl::Time deadline = absl::Now() + options->search.time;
  const Setting given = {options->network, options->learning};
  const auto over = [&] { return stop() || absl::Now() >= deadline; };
  Random random(options->learning.seed, /*stream=*/0x5ea2c4);
  Setting best = given;
  std::optional<double> best_loss;
  for (int64_t trial = 0; trial <= options->search.settings && !over(); ++trial) {
    const Setting setting = trial == 0 ? given : Draw(given, random);
    const auto loss = Try(dataset, setting, over);
    if (!loss.ok()) return loss.status();
    const bool better = loss->has_value() && (!best_loss.has_value() || **loss < *best_loss);
    if (better) {
      best = setting;
      best_loss = *loss;
    }
    absl::FPrintF(stderr, "setting %d/%d  %s  validation %s%s\n", trial, options->search.settings, Describe(setting),
                  loss->has_value() ? absl::StrFormat("%.5f", **loss) : "none", better ? "  best so far" : "");
  }
  options->network = best.network;
  options->learning = best.learning;
  options->texts.emplace_back("search_chose", Describe(best));
  return absl::OkStatus();
}

}  // namespace rondo::train
