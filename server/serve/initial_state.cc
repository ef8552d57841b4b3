#include "server/serve/initial_state.h"

#include <cstddef>
#include <string>

#include "model/state_transfer.h"
#include "server/refusal/refusal.h"
#include "server/registry/find_recorded_model.h"
#include "server/serve/check_sequence.h"
#include "server/store/session_record.h"

namespace rondo {
namespace {

absl::StatusOr<std::vector<float>> Transferred(const Model& from, absl::Span<const float> state,
                                               const InitialStateView& view, const Model& to) {
  if (absl::Status steps = CheckSteps(to); !steps.ok()) return steps;
  std::vector<float> result = to.network->initial_state();
  result.resize(static_cast<size_t>(to.spec().state_size()));
  const absl::Status status = TransferState(from, state, to, view.elements, absl::MakeSpan(result));
  if (absl::IsInvalidArgument(status)) return status;
  if (!status.ok()) return Refuse(Why::kPosition, std::string(status.message()));
  return result;
}

}  // namespace

absl::Status CheckInitialState(const InitialStateView& view) {
  if (view.session_id.empty() != view.exported.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(view.session_id.empty()
                                        ? "initial_state has neither session_id nor state; wanted one of them"
                                        : "initial_state has both session_id and state; wanted one of them");
}

absl::StatusOr<std::vector<float>> InitialStateOf(const InitialStateView& view, SessionLease* session,
                                                  const ModelRegistry& registry, const Model& to) {
  if (*session) {
    const Model& from = *session->model()->model;
    return Transferred(from, {session->state(), static_cast<size_t>(from.spec().state_size())}, view, to);
  }
  const absl::StatusOr<SessionRecord> record = DecodeSession(view.exported);
  if (!record.ok()) return record.status();
  const absl::StatusOr<ServedModelPtr> from = FindRecordedModel(registry, record->model, AdoptSessions::kNever);
  if (!from.ok()) return from.status();
  if (record->state.size() != static_cast<size_t>((*from)->spec().state_size())) {
    return absl::DataLossError("the state has another size than its model's sessions have");
  }
  return Transferred(*(*from)->model, record->state, view, to);
}

}  // namespace rondo
