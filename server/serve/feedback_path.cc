#include "server/serve/feedback_path.h"

#include <utility>

#include "server/metrics/metrics.h"

namespace rondo {

FeedbackPath::FeedbackPath(SessionLease lease, size_t timesteps, Owner* owner)
    : lease_(std::move(lease)), owner_(owner) {
  input_.resize(static_cast<size_t>(spec().input_size()));
  output_.resize(static_cast<size_t>(spec().output_size()));
  run_.timesteps = timesteps;
  run_.first_state = run_.working_state = run_.final_state = lease_.state();
  if (lease_.stateless()) return;
  run_.working_state = lease_.working_state();
  run_.final_state = lease_.next_state();
}

absl::Status FeedbackPath::Start(StepEngine* engine, Flow* flow, absl::Time now, absl::Time deadline) {
  if (run_.timesteps == 0) {
    owner_->OnPathDone(absl::OkStatus());
    return absl::OkStatus();
  }
  if (!lease_.stateless()) lease_.ReserveReply(output_.size());
  const ServedModelPtr& model = lease_.model();
  run_.network = model->model->network.get();
  run_.probe = &model->metrics->loop;
  run_.observer = this;
  run_.flow = flow;
  run_.inputs = input_.data();
  run_.outputs = output_.data();
  run_.observe_steps = run_.one_row = true;
  run_.admitted = now;
  run_.deadline = deadline;
  return engine->Admit(&run_);
}

void FeedbackPath::OnFinished(SequenceRun* run, const absl::Status& status) {
  if (status.ok()) TakeOutput(run->timesteps - 1, /*last=*/true);
  owner_->OnPathDone(status);
}

}  // namespace rondo
