#include "server/session/session_value.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"
#include "server/store/recorded_model.h"

namespace rondo {
namespace {

template <typename Size>
absl::Status CheckSame(absl::string_view what, const Size& came, const Size& wanted, const SessionRecord& record,
                       const Model& model) {
  if (came == wanted) return absl::OkStatus();
  return Refuse(Why::kPosition, absl::StrCat("the state of session '", IdIn(record.id), "' is of ", what, " ", came,
                                             "; model '", model.name, "' version ", model.version, " has ", wanted));
}

std::string NetworkOf(const RecordedModel& model) {
  return model.graph == 0 ? model.cell : absl::StrCat("graph ", absl::Hex(model.graph));
}

}  // namespace

SessionView ViewOf(const LiveSession& session) {
  const Model& model = *session.model->model;
  SessionView view;
  view.id = session.id;
  view.model = RecordedModelOf(model);
  static_cast<SessionProgress&>(view) = session;
  view.idle_timeout_ns = session.idle_timeout_ns;
  view.last_used_ns = session.last_used_ns;
  view.ends_at_ns = session.ends_at_ns;
  view.last_reply = session.last_reply;
  view.state = {session.state.get(), static_cast<size_t>(model.spec().state_size())};
  return view;
}

SessionRecord RecordOf(const SessionView& view) {
  return {view,
          std::string(view.id),
          {view.last_reply.begin(), view.last_reply.end()},
          {view.state.begin(), view.state.end()}};
}

void GoOnFrom(const SessionRecord& record, LiveSession* session) {
  std::copy(record.state.begin(), record.state.end(), session->state.get());
  static_cast<SessionProgress&>(*session) = record;
  session->last_reply = record.last_reply;
}

absl::Status CheckShape(const SessionRecord& record, const Model& model) {
  const ModelSpec& spec = model.spec();
  const RecordedModel& came = record.model;
  const RecordedModel wanted = RecordedModelOf(model);
  for (const absl::Status& status : {
           CheckSame(came.graph == 0 && wanted.graph == 0 ? "cell" : "network", NetworkOf(came), NetworkOf(wanted),
                     record, model),
           CheckSame("num_layers", came.num_layers, wanted.num_layers, record, model),
           CheckSame("hidden_size", came.hidden_size, wanted.hidden_size, record, model),
           CheckSame("input_size", came.input_size, spec.input_size(), record, model),
           CheckSame("output_size", came.output_size, spec.output_size(), record, model),
           CheckSame("state_size", static_cast<int64_t>(record.state.size()), spec.state_size(), record, model),
       }) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo
