#include "server/rpc/session_values.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/session_method.h"
#include "server/rpc/sessions_service.h"
#include "server/rpc/unary_method.h"
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

// What computed the state: under the version that it names, or under another version that has the same weights.
absl::StatusOr<ServedModelPtr> FindModel(const RecordedModel& recorded, const ModelRegistry& registry) {
  absl::StatusOr<ServedModelPtr> named = registry.Find(recorded.name, recorded.version);
  if (named.ok() && (*named)->model->fingerprint == recorded.fingerprint) return named;
  for (const ServedModelPtr& live : registry.List()) {
    const Model& model = *live->model;
    if (model.name == recorded.name && model.fingerprint == recorded.fingerprint) return live;
  }
  if (!named.ok()) return named.status();
  return absl::FailedPreconditionError(
      absl::StrCat("the state is of model '", recorded.name, "' version ", recorded.version,
                   "; the one that is live here by that name and version has other weights or another description"));
}

absl::Status Import(const RpcContext& context, const v1::ImportSessionRequest& request, v1::Session* response) {
  if (context.draining->load()) return absl::UnavailableError("the server is shutting down");
  if (request.state().empty()) {
    return absl::InvalidArgumentError("state is empty; wanted what ExportSession answered");
  }
  absl::StatusOr<SessionRecord> record = DecodeSession(request.state());
  if (!record.ok()) return record.status();
  const absl::StatusOr<ServedModelPtr> model = FindModel(record->model, *context.registry);
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
  SessionMethod<v1::ExportSessionRequest, v1::ExportSessionResponse>::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestExportSession(server_context, request, writer, queue, queue, tag);
      },
      [context](const auto&, SessionLease lease, auto* response) {
        return Export(*context, std::move(lease), response);
      });
  UnaryMethod<v1::ImportSessionRequest, v1::Session>::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestImportSession(server_context, request, writer, queue, queue, tag);
      },
      [context](const auto& request, auto* response) { return Import(*context, request, response); });
  SessionMethod<v1::ForkSessionRequest, v1::Session>::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestForkSession(server_context, request, writer, queue, queue, tag);
      },
      [context](const auto& request, SessionLease lease, auto* response) {
        return Fork(*context, request, std::move(lease), response);
      });
}

}  // namespace rondo
