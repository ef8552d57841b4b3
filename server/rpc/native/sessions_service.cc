#include "server/rpc/native/sessions_service.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/call/unary_method.h"
#include "server/rpc/native/session_method.h"

namespace rondo {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

absl::StatusOr<std::optional<absl::Duration>> IdleTimeoutOf(const v1::CreateSessionRequest& request) {
  if (!request.has_idle_timeout_seconds()) return std::optional<absl::Duration>();
  const double seconds = request.idle_timeout_seconds();
  if (!(seconds >= 0)) {
    return absl::InvalidArgumentError(absl::StrCat("idle_timeout_seconds is ", seconds, "; wanted 0 or more"));
  }
  return std::optional<absl::Duration>(seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds));
}

absl::Status Create(const RpcContext& context, const v1::CreateSessionRequest& request, v1::Session* response) {
  absl::StatusOr<std::optional<absl::Duration>> idle_timeout = IdleTimeoutOf(request);
  if (!idle_timeout.ok()) return idle_timeout.status();
  absl::StatusOr<ServedModelPtr> model = context.registry->Find(request.model(), request.version());
  if (!model.ok()) return model.status();
  absl::StatusOr<SessionInfo> info = context.sessions->Create(request.session_id(), *model, *idle_timeout, absl::Now());
  if (!info.ok()) return info.status();
  ToProto(*info, response);
  return absl::OkStatus();
}

absl::Status Get(const RpcContext& context, const v1::GetSessionRequest& request, v1::Session* response) {
  absl::StatusOr<SessionInfo> info = context.sessions->Get(request.session_id(), absl::Now());
  if (!info.ok()) return info.status();
  ToProto(*info, response);
  return absl::OkStatus();
}

absl::Status List(const RpcContext& context, const v1::ListSessionsRequest& request,
                  v1::ListSessionsResponse* response) {
  if (request.page_size() < 0 || request.page_size() > kMaxPageSize) {
    return absl::InvalidArgumentError(absl::StrCat("page_size is ", request.page_size(), "; wanted 1 to ", kMaxPageSize,
                                                   ", or 0 for ", kDefaultPageSize));
  }
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  std::string page_token = request.page_token();
  absl::StatusOr<std::vector<SessionInfo>> sessions =
      context.sessions->List(request.model(), static_cast<size_t>(page_size), absl::Now(), &page_token);
  if (!sessions.ok()) return sessions.status();
  for (const SessionInfo& info : *sessions) ToProto(info, response->add_sessions());
  response->set_next_page_token(std::move(page_token));
  return absl::OkStatus();
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
}

void ServeSessions(const RpcContext* context, v1::Sessions::AsyncService* service) {
  using CreateMethod = SessionMethod<v1::CreateSessionRequest, v1::Session>;
  CreateMethod::Steps create;
  create.restored_id = [](const auto& request) { return request.session_id(); };
  create.handle = [context](const auto& request, SessionLease, auto* response) {
    return Create(*context, request, response);
  };
  create.changed_id = [](const auto&, const v1::Session& made) { return made.session_id(); };
  CreateMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestCreateSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(create));

  using GetMethod = SessionMethod<v1::GetSessionRequest, v1::Session>;
  GetMethod::Steps get;
  get.restored_id = [](const auto& request) { return request.session_id(); };
  get.handle = [context](const auto& request, SessionLease, auto* response) {
    return Get(*context, request, response);
  };
  GetMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestGetSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(get));

  UnaryMethod<v1::ListSessionsRequest, v1::ListSessionsResponse>::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestListSessions(server_context, request, writer, queue, queue, tag);
      },
      [context](const auto& request, auto* response) { return List(*context, request, response); });

  using DeleteMethod = SessionMethod<v1::DeleteSessionRequest, v1::DeleteSessionResponse>;
  DeleteMethod::Steps remove;
  remove.restored_id = [](const auto& request) { return request.session_id(); };
  remove.handle = [context](const auto& request, SessionLease, auto*) {
    return context->sessions->Delete(request.session_id(), absl::Now());
  };
  remove.changed_id = [](const v1::DeleteSessionRequest& request, const auto&) { return request.session_id(); };
  DeleteMethod::Serve(
      context,
      [service](auto* server_context, auto* request, auto* writer, auto* queue, void* tag) {
        service->RequestDeleteSession(server_context, request, writer, queue, queue, tag);
      },
      std::move(remove));
}

}  // namespace rondo
