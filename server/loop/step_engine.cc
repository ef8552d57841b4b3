#include "server/loop/step_engine.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/prefetch.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

// Waking a helper and joining it costs some 20 us; a part of 1e7 operations takes about 100 us on one core. With fewer
// than 8 rows a part, a step is bound by reading the weights, which each part does for itself: splitting gains nothing.
constexpr double kMinFlopsPerPart = 1e7;
constexpr size_t kMinRowsPerPart = 8;

constexpr size_t kPrefetched = 4;  // runs that are fetched into the cache while the one before them advances

// The floats of a row, which all rows of a batch have.
struct RowSizes {
  explicit RowSizes(const ModelSpec& spec)
      : input(static_cast<size_t>(spec.input_size())), output(static_cast<size_t>(spec.output_size())) {}
  const size_t input;
  const size_t output;
};

StepRow RowOf(const SequenceRun& run, const RowSizes& sizes) {
  const size_t step = run.next_step;
  const bool last = step + 1 == run.timesteps;
  const size_t place = run.one_row ? 0 : step;
  StepRow row;
  row.input = run.inputs + place * sizes.input;
  row.time = run.times == nullptr ? 0 : run.times[step];
  row.state_in = step == 0 ? run.first_state : run.working_state;
  row.state_out = last ? run.final_state : run.working_state;
  if (!run.last_only) {
    row.output = run.outputs + place * sizes.output;
  } else if (last) {
    row.output = run.outputs;
  }
  return row;
}

absl::Status NotFinite() {
  return absl::OutOfRangeError("the result is not finite: the inputs drive this model out of float32's range");
}

}  // namespace

void StepEngine::RunBatch() {
  const Network* network = active_set_.next_network();
  if (network == nullptr) return;
  const absl::Time start = SteadyNow();
  const size_t most = RowsPerTurn(*network);
  active_set_.TakeBatch(start, most, &batch_, &dropped_);
  for (SequenceRun* run : dropped_) Drop(run, start);
  if (batch_.empty()) return;
  if (network->spec().whole_sequence()) return RunWhole(*network, start, most);

  if (const size_t count = TimestepsFor(*batch_.front()); count > 1) {
    return RunTimesteps(batch_.front(), count, start, most);
  }
  rows_.clear();
  const RowSizes sizes(network->spec());
  for (const SequenceRun* run : batch_) rows_.push_back(RowOf(*run, sizes));
  ObserveQueue(start);
  LoopProbe* probe = batch_.front()->probe;  // an observer may end its run, and itself, when it hears of it
  Compute(*network);
  probe->ObserveStep(SteadyNow() - start, batch_.size(), most);
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (i + kPrefetched < batch_.size()) Prefetch(batch_[i + kPrefetched], sizeof(SequenceRun));
    Advance(batch_[i], 1, rows_[i].finite);
  }
}

void StepEngine::RunTurn() {
  const absl::Time start = SteadyNow();
  do {
    RunBatch();
  } while (NextBatchIsFullOrAlone() && SteadyNow() - start < kMostOfATurn);
}

bool StepEngine::NextBatchIsFullOrAlone() const {
  const Network* const network = active_set_.next_network();
  return network != nullptr && (active_set_.size() == 1 || active_set_.size() >= network->max_batch_size());
}

// The sequences of a message were admitted at once, and mostly run at once: they are counted together.
void StepEngine::ObserveQueue(absl::Time start) const {
  for (auto run = batch_.begin(); run != batch_.end();) {
    const SequenceRun& first = **run;
    const auto end = std::find_if(run, batch_.end(), [&first](const SequenceRun* other) {
      return other->next_step != first.next_step || other->admitted != first.admitted ||
             other->first_step_at != first.first_step_at;
    });
    if (first.next_step == 0) {
      first.probe->ObserveQueue(start - first.admitted, static_cast<size_t>(end - run));
      if (first.first_step_at != nullptr) *first.first_step_at = std::min(*first.first_step_at, start);
    }
    run = end;
  }
}

size_t StepEngine::RowsPerTurn(const Network& network) const {
  const size_t rows = network.max_batch_size();
  return rows * PartsFor(network, rows * (helpers_->count() + 1));
}

size_t StepEngine::PartsFor(const Network& network, size_t rows) const {
  const double by_flops = network.flops_per_row() * static_cast<double>(rows) / kMinFlopsPerPart;
  const size_t parts = std::min({helpers_->count() + 1, rows / kMinRowsPerPart, static_cast<size_t>(by_flops)});
  return std::max<size_t>(parts, 1);
}

void StepEngine::Compute(const Network& network) {
  const absl::Span<StepRow> rows = absl::MakeSpan(rows_);
  const size_t parts = PartsFor(network, rows.size());
  helpers_->Run(parts, [&](size_t part) {
    const size_t begin = rows.size() * part / parts;
    const size_t end = rows.size() * (part + 1) / parts;
    network.Step(rows.subspan(begin, end - begin));
  });
}

void StepEngine::RunWhole(const Network& network, absl::Time start, size_t most) {
  sequences_.clear();
  size_t timesteps = 0;
  for (const SequenceRun* run : batch_) {
    sequences_.push_back({run->inputs, run->times, run->timesteps, run->outputs, run->last_only});
    timesteps += run->timesteps;
  }
  ObserveQueue(start);
  LoopProbe* const probe = batch_.front()->probe;
  network.RunWhole(absl::MakeSpan(sequences_));
  // The batch could have had `most` sequences, each as long as these are on average.
  probe->ObserveStep(SteadyNow() - start, timesteps, timesteps * most / batch_.size());
  for (size_t i = 0; i < batch_.size(); ++i) {
    Finish(batch_[i], sequences_[i].finite ? absl::OkStatus() : NotFinite());
  }
}

size_t StepEngine::TimestepsFor(const SequenceRun& run) const {
  if (active_set_.size() > 1 || run.observe_steps || run.one_row) return 1;
  return std::min(run.timesteps - run.next_step, run.network->timesteps_at_once());
}

void StepEngine::RunTimesteps(SequenceRun* run, size_t count, absl::Time start, size_t most) {
  const StepRow first = RowOf(*run, RowSizes(run->network->spec()));
  const bool ends = run->next_step + count == run->timesteps;
  Timesteps timesteps;
  timesteps.inputs = first.input;
  timesteps.times = run->times == nullptr ? nullptr : run->times + run->next_step;
  timesteps.count = count;
  timesteps.state_in = first.state_in;
  timesteps.state_out = ends ? run->final_state : run->working_state;
  timesteps.last_only = run->last_only;
  timesteps.outputs = run->last_only && ends ? run->outputs : first.output;
  ObserveQueue(start);
  LoopProbe* const probe = run->probe;
  run->network->StepTimesteps(&timesteps);
  probe->ObserveTimesteps(SteadyNow() - start, count, most);
  Advance(run, count, timesteps.finite);
}

void StepEngine::Advance(SequenceRun* run, size_t count, bool finite) {
  if (!finite) {
    Finish(run, NotFinite());
    return;
  }
  const size_t step = run->next_step;
  run->next_step += count;
  if (run->observe_steps && run->next_step < run->timesteps) run->observer->OnStep(run, step);
  if (run->next_step == run->timesteps) {
    Finish(run, absl::OkStatus());
    return;
  }
  active_set_.Return(run);
}

void StepEngine::Drop(SequenceRun* run, absl::Time now) {
  if (run->cancelled) {
    Finish(run, CancelledByClient());
    return;
  }
  Finish(run, Refuse(Why::kDeadline,
                     absl::StrCat("expired ", absl::FormatDuration(now - run->deadline), " ago after ", run->next_step,
                                  " of ", run->timesteps, " timesteps; the session has not moved")));
}

void StepEngine::Finish(SequenceRun* run, const absl::Status& status) {
  active_set_.Leave(run);
  run->observer->OnFinished(run, status);
}

}  // namespace rondo
