#include "server/serve/beam_search.h"

#include <algorithm>
#include <utility>

#include "base/steady_time.h"
#include "server/metrics/metrics.h"
#include "server/serve/or_out_of_memory.h"

namespace rondo {

size_t BeamSearch::BytesOf(const BeamRules& rules, const ModelSpec& spec, size_t prompt) {
  const size_t floats = 2 * static_cast<size_t>(spec.state_size()) + static_cast<size_t>(spec.output_size());
  const size_t row = floats * sizeof(float) + 2 * sizeof(SessionLease) + sizeof(SequenceRun);
  return sizeof(BeamSearch) + rules.width * row + prompt * sizeof(float) +
         Beams::BytesOf(rules, static_cast<size_t>(spec.tokens));
}

BeamSearch::BeamSearch(const ServedModelPtr& model, SessionTable* sessions, const float* state,
                       absl::Span<const int32_t> prompt, absl::Span<const float> given, const BeamRules& rules,
                       FeedbackPath::Owner* owner)
    : owner_(owner),
      model_(model),
      beams_(rules, static_cast<size_t>(model->spec().tokens)),
      prompt_(prompt.begin(), prompt.end()),
      outputs_(rules.width * static_cast<size_t>(model->spec().output_size())),
      inputs_(rules.width),
      runs_(rules.width) {
  rows_.reserve(rules.width);
  for (std::vector<SessionLease>& half : states_) {
    for (size_t i = 0; i < rules.width; ++i) half.push_back(sessions->AcquireStateless(model));
  }
  std::copy_n(state, model->spec().state_size(), states_[0][0].state());
  if (prompt_.empty()) {
    std::copy(given.begin(), given.end(), outputs_.begin());
    rows_.push_back(absl::MakeConstSpan(outputs_).first(given.size()));
  }
}

absl::Status BeamSearch::Start(StepEngine* engine, Flow* flow, absl::Time deadline) {
  engine_ = engine;
  for (size_t i = 0; i < runs_.size(); ++i) {
    PrepareRun(i);
    runs_[i].flow = flow;
    runs_[i].deadline = deadline;
  }
  if (prompt_.empty()) {
    Advance();
    return absl::OkStatus();
  }
  SequenceRun* const run = &runs_.front();
  run->timesteps = prompt_.size();
  run->inputs = prompt_.data();
  run->first_state = run->working_state = run->final_state = states_[0][0].state();
  rows_.push_back(absl::MakeConstSpan(outputs_).first(outputs_.size() / runs_.size()));
  unfinished_ = 1;
  return Admit(run);
}

void BeamSearch::PrepareRun(size_t i) {
  SequenceRun& run = runs_[i];
  run.network = model_->model->network.get();
  run.probe = &model_->metrics->loop;
  run.observer = this;
  run.timesteps = 1;
  run.last_only = true;
  run.inputs = &inputs_[i];
  run.outputs = outputs_.data() + i * (outputs_.size() / runs_.size());
}

absl::Status BeamSearch::Admit(SequenceRun* run) {
  run->next_step = 0;
  run->timesteps_after = beams_.steps_after_next();
  run->cancelled = cancelled_;
  run->admitted = SteadyNow();
  return OrOutOfMemory([&] { return engine_->Admit(run); });
}

void BeamSearch::Cancel() {
  cancelled_ = true;
  for (SequenceRun& run : runs_) run.cancelled = true;
}

void BeamSearch::OnFinished(SequenceRun*, const absl::Status& status) {
  if (!status.ok() && status_.ok()) {
    status_ = status;
    Cancel();
  }
  if (--unfinished_ == 0) Advance();
}

void BeamSearch::Advance() {
  if (status_.ok()) Choose();
  if (!status_.ok() || beams_.live().empty()) return owner_->OnPathDone(status_);
  RunLive();
}

void BeamSearch::Choose() {
  status_ = OrOutOfMemory([this] {
    beams_.Grow(rows_);
    return absl::OkStatus();
  });
}

void BeamSearch::RunLive() {
  std::vector<SessionLease>& from = states_[written_];
  written_ = 1 - written_;
  std::vector<SessionLease>& to = states_[written_];
  const absl::Span<const Beams::Live> live = beams_.live();
  const size_t output_size = outputs_.size() / runs_.size();
  rows_.clear();
  unfinished_ = live.size() + 1;  // one more, so that the step ends after the last has started
  for (size_t i = 0; i < live.size(); ++i) {
    rows_.push_back(absl::MakeConstSpan(outputs_).subspan(i * output_size, output_size));
    inputs_[i] = static_cast<float>(live[i].token);
    SequenceRun* const run = &runs_[i];
    run->timesteps = 1;
    run->inputs = &inputs_[i];
    run->first_state = from[live[i].parent].state();
    run->working_state = nullptr;
    run->final_state = to[i].state();
    if (const absl::Status status = Admit(run); !status.ok()) OnFinished(run, status);
  }
  OnFinished(nullptr, absl::OkStatus());
}

}  // namespace rondo
