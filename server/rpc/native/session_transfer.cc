#include "server/rpc/native/session_transfer.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"
#include "server/registry/find_recorded_model.h"
#include "server/session/session_id.h"
#include "server/store/session_record.h"

namespace rondo {

namespace {

// Makes a session of `record`, which `model` goes on with.
absl::Status Enter(const RpcContext& context, const SessionRecord& record, const ServedModelPtr& model,
                   v1::Session* response) {
  absl::Status status = context.memory->Take(BytesOfSession(record.state.size()));
  return status.ok() ? Answer(context.sessions->Import(record, model, SteadyNow()), response) : status;
}

}  // namespace

void ToProto(const SessionInfo& info, v1::Session* proto) {
  proto->set_session_id(info.id);
  proto->set_model(info.model);
  proto->set_version(info.version);
  proto->set_position(info.position);
  const bool never = info.idle_timeout == absl::InfiniteDuration();
  proto->set_idle_timeout_seconds(never ? 0 : absl::ToDoubleSeconds(info.idle_timeout));
  proto->set_idle_seconds(absl::ToDoubleSeconds(info.idle));
  if (info.ends_in != absl::InfiniteDuration()) proto->set_ends_in_seconds(absl::ToDoubleSeconds(info.ends_in));
}

absl::Status Answer(const absl::StatusOr<SessionInfo>& info, v1::Session* response) {
  if (info.ok()) ToProto(*info, response);
  return info.status();
}

InitialStateView ViewOf(const v1::InitialState& proto, std::vector<absl::string_view>* elements) {
  elements->assign(proto.elements().begin(), proto.elements().end());
  return {proto.session_id(), proto.state(), *elements};
}

absl::Status ExportSession(const RpcContext& context, absl::string_view, const v1::ExportSessionRequest&,
                           SessionLease lease, v1::ExportSessionResponse* response) {
  SessionRecord record = lease.Export();
  lease.Release(SteadyNow());
  record.id = std::string(IdIn(record.id));   // whoever imports it has the session
  record.ends_at_ns = SessionRecord::kNever;  // that is the importing server's to say
  SessionInfo info;
  info.id = record.id;
  info.model = record.model.name;
  info.version = record.model.version;
  info.position = record.position;
  info.idle_timeout = record.idle_timeout_ns == SessionRecord::kNever ? absl::InfiniteDuration()
                                                                      : absl::Nanoseconds(record.idle_timeout_ns);
  info.ends_in = absl::InfiniteDuration();
  ToProto(info, response->mutable_session());
  response->set_state(Encode(record));
  if (response->ByteSizeLong() <= context.limits.max_message_bytes) return absl::OkStatus();
  return Refuse(Why::kPosition,
                absl::StrCat("the state of session '", record.id, "' takes a message of ", response->ByteSizeLong(),
                             " bytes; this server sends at most ", context.limits.max_message_bytes));
}

std::string ImportedId(const v1::ImportSessionRequest& request) {
  if (!request.session_id().empty()) return request.session_id();
  const absl::StatusOr<SessionRecord> record = DecodeSession(request.state());
  return record.ok() ? record->id : std::string();
}

absl::Status ImportSession(const RpcContext& context, absl::string_view tenant, const v1::ImportSessionRequest& request,
                           SessionLease, v1::Session* response) {
  if (request.state().empty()) {
    return absl::InvalidArgumentError("state is empty; wanted what ExportSession answered");
  }
  absl::StatusOr<SessionRecord> record = DecodeSession(request.state());
  if (!record.ok()) return record.status();
  const absl::StatusOr<ServedModelPtr> model =
      FindRecordedModel(*context.registry, record->model, AdoptSessions::kNever);
  if (!model.ok()) return model.status();
  record->id = SessionName(tenant, request.session_id().empty() ? record->id : request.session_id());
  return Enter(context, *record, *model, response);
}

absl::Status ForkSession(const RpcContext& context, absl::string_view tenant, const v1::ForkSessionRequest& request,
                         SessionLease lease, v1::Session* response) {
  SessionRecord record = lease.Export();
  const ServedModelPtr model = lease.model();  // live or not any more
  lease.Release(SteadyNow());
  record.id = request.new_session_id();
  if (record.id.empty()) {
    absl::StatusOr<std::string> made = RandomSessionId();
    if (!made.ok()) return made.status();
    record.id = *std::move(made);
  }
  record.id = SessionName(tenant, record.id);
  return Enter(context, record, model, response);
}

}  // namespace rondo
