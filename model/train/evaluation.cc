#include "model/train/evaluation.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/compute_thread.h"
#include "model/train/scorer.h"

namespace rondo::train {
namespace {

// Steps the test parts of one block of series side by side.
absl::Status ScoreBlock(const Dataset& dataset, const Network& network, absl::Span<const Segment> parts,
                        Scorer& scorer) {
  const ModelSpec& spec = network.spec();
  std::vector<std::vector<float>> states(parts.size(), std::vector<float>(spec.state_size()));
  for (std::vector<float>& state : states) {
    if (!network.initial_state().empty()) state = network.initial_state();
  }
  std::vector<std::vector<float>> outputs(parts.size(), std::vector<float>(spec.output_size()));
  std::vector<StepRow> rows;
  int64_t end = 0;
  for (const Segment& part : parts) end = std::max(end, part.end);
  for (int64_t t = 0; t < end; ++t) {
    rows.clear();
    for (size_t i = 0; i < parts.size(); ++i) {
      if (t >= parts[i].end) continue;
      const Series& series = dataset.set().series[parts[i].series];
      StepRow row;
      row.input = &series.values[t * dataset.set().columns.size()];
      row.time = series.times.empty() ? 0 : UnixSeconds(series.times[t]);
      row.state_in = row.state_out = states[i].data();
      row.output = t >= parts[i].begin ? outputs[i].data() : nullptr;
      rows.push_back(row);
    }
    network.Step(absl::MakeSpan(rows));
    for (const StepRow& row : rows) {
      if (!row.finite)
        return absl::InternalError(absl::StrCat("the network's result at timestep ", t, " is not finite"));
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      if (t >= parts[i].begin && t < parts[i].end) scorer.Score(parts[i].series, t, outputs[i].data());
    }
  }
  return absl::OkStatus();
}

}  // namespace

void Errors::Add(double error) {
  absolute += std::abs(error);
  squared += error * error;
  ++count;
}

double Errors::rmse() const { return std::sqrt(mse()); }

OutputScores::Headline OutputScores::headline(bool squared) const {
  const auto error = [squared](const Errors& errors) { return squared ? errors.mse() : errors.mae(); };
  const bool by_season = seasonal.count > 0 && error(seasonal) < error(persistence);
  return {by_season, 1 - error(model) / error(by_season ? seasonal : persistence)};
}

double OutputScores::median_mase() const {
  std::vector<double> all;
  for (const SeriesScores& one : by_series) all.push_back(one.mase());
  if (all.empty()) return 0;
  std::nth_element(all.begin(), all.begin() + all.size() / 2, all.end());
  return all[all.size() / 2];
}

absl::StatusOr<Evaluation> Evaluate(const Dataset& dataset, const Network& network, int64_t season,
                                    Dataset::Part part) {
  PrepareComputeThread();
  Scorer scorer(dataset, network.spec(), season);
  const absl::Span<const Segment> parts = dataset.segments(part);
  const size_t block = network.max_batch_size();
  for (size_t first = 0; first < parts.size(); first += block) {
    if (absl::Status status = ScoreBlock(dataset, network, parts.subspan(first, block), scorer); !status.ok()) {
      return status;
    }
  }
  return std::move(scorer).Finish();
}

}  // namespace rondo::train
