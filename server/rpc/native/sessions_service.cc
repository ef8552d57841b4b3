// rondo.v1.Sessions.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/invalid.h"
#include "base/steady_time.h"
#include "server/rpc/call/unary_method.h"
#include "server/rpc/native/delete_sessions_call.h"
#include "server/rpc/native/leased_call.h"
#include "server/rpc/native/services.h"
#include "server/rpc/native/session_transfer.h"
#include "server/serve/check_sequence.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

constexpr int kDefaultPageSize = 100;
constexpr int kMaxPageSize = 1000;

absl::StatusOr<std::optional<absl::Duration>> IdleTimeoutOf(const v1::CreateSessionRequest& request) {
  if (!request.has_idle_timeout_seconds()) return std::optional<absl::Duration>();
  const double seconds = request.idle_timeout_seconds();
  if (!(seconds >= 0)) {
    return Invalid("idle_timeout_seconds is ", seconds, "; wanted 0 or more");
  }
  return std::optional<absl::Duration>(seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds));
}

absl::Status Create(const RpcContext& context, absl::string_view tenant, const v1::CreateSessionRequest& request,
                    SessionLease source, v1::Session* response) {
  absl::StatusOr<std::optional<absl::Duration>> idle_timeout = IdleTimeoutOf(request);
  if (!idle_timeout.ok()) return idle_timeout.status();
  absl::StatusOr<ServedModelPtr> model = context.registry->Find(request.model(), request.version());
  if (!model.ok()) return model.status();
  if (absl::Status steps = CheckSteps(*(*model)->model); !steps.ok()) return steps;
  const auto state_size = static_cast<size_t>((*model)->spec().state_size());
  if (absl::Status status = context.memory->Take(BytesOfSession(state_size)); !status.ok()) return status;
  std::vector<float> state;
  if (request.has_initial_state()) {
    std::vector<absl::string_view> elements;
    const InitialStateView view = ViewOf(request.initial_state(), &elements);
    if (absl::Status status = CheckInitialState(view); !status.ok()) return status;
    absl::StatusOr<std::vector<float>> made = InitialStateOf(view, &source, *context.registry, *(*model)->model);
    if (!made.ok()) return made.status();
    state = *std::move(made);
  }
  if (source) source.Release(SteadyNow());
  const std::string name = SessionName(tenant, request.session_id());
  return Answer(context.sessions->Create(name, *model, *idle_timeout, SteadyNow(), state), response);
}

absl::Status Get(const RpcContext& context, absl::string_view tenant, const v1::GetSessionRequest& request,
                 SessionLease, v1::Session* response) {
  return Answer(context.sessions->Get(SessionName(tenant, request.session_id()), SteadyNow()), response);
}

absl::Status List(const RpcContext& context, absl::string_view tenant, const v1::ListSessionsRequest& request,
                  SessionLease, v1::ListSessionsResponse* response) {
  if (request.page_size() < 0 || request.page_size() > kMaxPageSize) {
    return Invalid("page_size is ", request.page_size(), "; wanted 1 to ", kMaxPageSize, ", or 0 for ",
                   kDefaultPageSize);
  }
  const int page_size = request.page_size() == 0 ? kDefaultPageSize : request.page_size();
  std::string page_token = request.page_token();
  absl::StatusOr<std::vector<SessionInfo>> sessions =
      context.sessions->List(request.model(), static_cast<size_t>(page_size), SteadyNow(), &page_token, tenant);
  if (!sessions.ok()) return sessions.status();
  for (const SessionInfo& info : *sessions) ToProto(info, response->add_sessions());
  response->set_next_page_token(std::move(page_token));
  return absl::OkStatus();
}

absl::Status Delete(const RpcContext& context, absl::string_view tenant, const v1::DeleteSessionRequest& request,
                    SessionLease, v1::DeleteSessionResponse*) {
  return context.sessions->Delete(SessionName(tenant, request.session_id()), SteadyNow());
}

// The ids of LeasedMethod: the session that a request names, and the one that a response tells of.
template <typename Request>
std::string Named(const Request& request) {
  return request.session_id();
}
template <typename Request>
const std::string* Leased(const Request& request) {
  return &request.session_id();
}
const std::string* InitialSession(const v1::CreateSessionRequest& request) {
  const bool is_one = !request.initial_state().session_id().empty() && request.initial_state().state().empty();
  return is_one ? &request.initial_state().session_id() : nullptr;
}
bool BeginsSomewhere(const v1::CreateSessionRequest& request) { return request.has_initial_state(); }
template <typename Request, typename Response>
std::string NamedAfter(const Request& request, const Response&) {
  return request.session_id();
}
template <typename Request>
std::string Made(const Request&, const v1::Session& made) {
  return made.session_id();
}
std::string ForkId(const v1::ForkSessionRequest& request) { return request.new_session_id(); }

}  // namespace

void ServeSessions(const RpcContext* context, HeadersFirst<v1::Sessions>* service) {
  using Service = v1::Sessions::Service;
  // Each: the session that may be in the store only, the one that the call leases, what it does, what it changes,
  // its line in the log, and so on: see LeasedMethod.
  ServeLeased(context, service, "CreateSession", &Service::CreateSession,
              {&Named, &InitialSession, &Create, &Made, {}, false, nullptr, &BeginsSomewhere});
  ServeLeased(context, service, "GetSession", &Service::GetSession,
              {&Named, nullptr, &Get, nullptr, {}, /*asks=*/true, nullptr, nullptr, /*is_about_restored=*/true});
  ServeLeased(context, service, "DeleteSession", &Service::DeleteSession,
              {&Named, nullptr, &Delete, &NamedAfter, "session_deleted", false, nullptr, nullptr, true});
  Listen<DeleteSessionsCall>(context, MethodNamed(service, "DeleteSessions"), DeleteSessionsCall::MakeSteps());
  ServeLeased(context, service, "ExportSession", &Service::ExportSession,
              {nullptr, &Leased, &ExportSession, nullptr, "session_exported"});
  ServeLeased(context, service, "ImportSession", &Service::ImportSession,
              {&ImportedId, nullptr, &ImportSession, &Made, "session_imported"});
  ServeLeased(context, service, "ForkSession", &Service::ForkSession,
              {&ForkId, &Leased, &ForkSession, &Made, "session_forked"});
  ServeLeased(context, service, "ListSessions", &Service::ListSessions, {nullptr, nullptr, &List, nullptr});
}

}  // namespace rondo
