#include "server/rpc/native/session_values.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/registry/find_recorded_model.h"
#include "server/rpc/native/session_method.h"
#include "server/rpc/native/sessions_service.h"
#include "server/session/session_id.h"
#include "server/store/session_record.h"

namespace rondo {
namespace {

absl::Status Export(const RpcContext& context, SessionLease lease, v1::ExportSessionResponse* response) {
  const SessionRecord record = lease.Export();
  lease.Release(absl::Now());
  SessionInfo info;
  info.id = record.id;
  info.model = record.model.name;
  info.version = record.model.version;
  info.position = record.position;
  info.idle_timeout = record.idle_timeout_ns == SessionRecord::kNever ? absl::InfiniteDuration()
                                                                      : absl::Nanoseconds(record.idle_timeout_ns);
  ToProto(info, response->mutable_session());
  response->set_state(Encode(record));
  if (response->ByteSizeLong() <= context.limits.max_message_bytes) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the state of session '", record.id, "' takes a message of ",
                                                    response->ByteSizeLong(), " bytes; this server sends at most ",
                                                    context.limits.max_message_bytes));
}

// The id that the import will have; empty: what came is no session's state.
std::string ImportedId(const v1::ImportSessionRequest& request) {
  if (!request.session_id().empty()) return request.session_id();
  const absl::StatusOr<SessionRecord> record = DecodeSession(request.state());
  return record.ok() ? record->id : std::string();
}

absl::Status Import(const RpcContext& context, const v1::ImportSessionRequest& request, v1::Session* response) {
  if (request.state().empty()) {
    return absl::InvalidArgumentError("state is empty; wanted what ExportSession answered");
  }
  absl::StatusOr<SessionRecord> record = DecodeSession(request.state());
  if (!record.ok()) return record.status();
  const absl::StatusOr<ServedModelPtr> model =
      FindRecordedModel(*context.registry, record->model, AdoptSessions::kNever);
  if (!model.ok()) return model.status();
  if (!request.session_id().empty()) record->id = request.session_id();
  const absl::StatusOr<SessionInfo> info = context.sessions->Import(*record, *model, absl::Now());
  if (!info.ok()) return info.status();
  ToProto(*info, response);
  return absl::OkStatus();
}

absl::Status Fork(const RpcContext& context, const v1::ForkSessionRequest& request, SessionLease lease,
                  v1::Session* response) {
  SessionRecord record = lease.Export();
  const ServedModelPtr model = lease.model();  // live or not any more
  lease.Release(absl::Now());
  record.id = request.new_session_id();
  if (record.id.empty()) {
    absl::StatusOr<std::string> made = RandomSessionId();
    if (!made.ok()) return made.status();
    record.id = *std::move(made);
  }
  const absl::StatusOr<SessionInfo> info = context.sessions->Import(record, model, absl::Now());
  if (!info.ok()) return info.status();
  ToProto(*info, response);
  return absl::OkStatus();
}

}  // namespace

void ServeSessionValues(const RpcContext* context, v1::Sessions::AsyncService* service) {
  using ExportMethod = SessionMethod<v1::ExportSessionRequest, v1::ExportSessionResponse>;
  ExportMethod::Steps export_steps;
  export_steps.leases = true;
  export_steps.handle = [context](const auto&, SessionLease lease, auto* response) {
    return Export(*context, std::move(lease), response);
  };
  ExportMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestExportSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(export_steps));

  using ImportMethod = SessionMethod<v1::ImportSessionRequest, v1::Session>;
  ImportMethod::Steps import_steps;
  import_steps.restored_id = [](const auto& request) { return ImportedId(request); };
  import_steps.handle = [context](const auto& request, SessionLease, auto* response) {
    return Import(*context, request, response);
  };
  import_steps.changed_id = [](const auto&, const v1::Session& made) { return made.session_id(); };
  ImportMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestImportSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(import_steps));

  using ForkMethod = SessionMethod<v1::ForkSessionRequest, v1::Session>;
  ForkMethod::Steps fork_steps;
  fork_steps.restored_id = [](const auto& request) { return request.new_session_id(); };
  fork_steps.leases = true;
  fork_steps.handle = [context](const auto& request, SessionLease lease, auto* response) {
    return Fork(*context, request, std::move(lease), response);
  };
  fork_steps.changed_id = [](const auto&, const v1::Session& made) { return made.session_id(); };
  ForkMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestForkSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(fork_steps));
}

}  // namespace rondo
