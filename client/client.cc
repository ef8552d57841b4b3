#include "client/client.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/channel.h"
#include "client/connection.h"
#include "client/server_address.h"
#include "client/wire.h"

namespace rondo {
namespace {

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.timeout <= absl::ZeroDuration()) return absl::InvalidArgumentError("timeout must be > 0");
  if (options.max_attempts < 1 || options.max_attempts > 16) {
    return absl::InvalidArgumentError(absl::StrCat("max_attempts is ", options.max_attempts, "; it takes 1..16"));
  }
  if (options.initial_backoff <= absl::ZeroDuration() || options.max_backoff < options.initial_backoff) {
    return absl::InvalidArgumentError("initial_backoff must be > 0, and max_backoff at least as long");
  }
  return CheckChannelOptions(options);
}

// 128 random bits, as a server's own ids are.
std::string RandomSessionId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&id, absl::Hex(random(), absl::kZeroPad8));
  return id;
}

template <typename Request>
Request RequestFor(absl::string_view session_id) {
  Request request;
  request.set_session_id(std::string(session_id));
  return request;
}

// Takes the address of the server that answered a page from the page's token, which a client of several servers puts
// before the server's own token and a slash. INVALID_ARGUMENT: the token is no such one, or that server has left.
absl::StatusOr<std::shared_ptr<const Route>> TakeServer(const Routes& routes, absl::string_view* page_token) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(*page_token, absl::MaxSplits('/', 1));
  std::shared_ptr<const Route> route = routes.To(parts.first);
  if (route == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token is '", *page_token, "'; wanted one that a client of these servers has answered"));
  }
  *page_token = parts.second;
  return route;
}

}  // namespace

absl::StatusOr<Client> Client::Connect(absl::string_view address, const ClientOptions& options) {
  absl::StatusOr<std::vector<ServerTarget>> servers = TargetsOf(address);
  if (!servers.ok()) return servers.status();
  absl::Status status = CheckOptions(options);
  if (!status.ok()) return status;
  if (!options.spread) servers->resize(1);
  std::optional<ServerName> name = options.spread ? NameIn(address) : std::nullopt;
  // A proxy finds the servers of a name itself.
  if (name.has_value() && !options.look_up && IsProxied(name->host, options)) name.reset();
  return Client(std::make_shared<ClientConnection>(*std::move(servers), std::move(name), options));
}

Client::Client(std::shared_ptr<ClientConnection> connection) : connection_(std::move(connection)) {}

absl::StatusOr<std::vector<ModelDescription>> Client::ListModels() const {
  return connection_->Ask(
      &v1::Models::Stub::ListModels, v1::ListModelsRequest(), Repeat::kSafe,
      [](const v1::ListModelsResponse& response) { return Converted(response.models(), ToModelDescription); });
}

absl::StatusOr<ModelDescription> Client::GetModel(absl::string_view model, int64_t version) const {
  v1::GetModelRequest request;
  request.set_name(std::string(model));
  request.set_version(version);
  return connection_->Ask(&v1::Models::Stub::GetModel, request, Repeat::kSafe, ToModelDescription);
}

absl::StatusOr<std::vector<float>> Client::Predict(absl::string_view model, absl::Span<const float> values,
                                                   absl::Span<const int64_t> times,
                                                   const PredictOptions& options) const {
  SequenceInput sequence;
  sequence.values.assign(values.begin(), values.end());
  sequence.times.assign(times.begin(), times.end());
  absl::StatusOr<std::vector<SequenceOutput>> outputs = PredictMany(model, {&sequence, 1}, options);
  if (!outputs.ok()) return outputs.status();
  if (!outputs->front().status.ok()) return outputs->front().status;
  return std::move(outputs->front().values);
}

absl::StatusOr<std::vector<SequenceOutput>> Client::PredictMany(absl::string_view model,
                                                                absl::Span<const SequenceInput> sequences,
                                                                const PredictOptions& options) const {
  v1::PredictRequest request;
  FillPredictRequest(model, sequences, options, &request);
  const bool safe = std::all_of(sequences.begin(), sequences.end(), IsRepeatable);
  absl::StatusOr<std::vector<SequenceOutput>> outputs = connection_->Ask(
      &v1::Inference::Stub::Predict, request, safe ? Repeat::kSafe : Repeat::kUnsafe, ToSequenceOutputs);
  if (outputs.ok() && outputs->size() != sequences.size()) {
    return absl::InternalError(
        absl::StrCat("the server answered ", outputs->size(), " sequences; it was sent ", sequences.size()));
  }
  return outputs;
}

absl::StatusOr<ForecastOutput> Client::Forecast(absl::string_view model, const ForecastInput& input) const {
  return connection_->Ask(&v1::Inference::Stub::Forecast, ToForecastRequest(model, input), Repeat::kSafe,
                          ToForecastOutput);
}

absl::StatusOr<GenerateOutput> Client::Generate(absl::string_view model, const GenerateInput& input,
                                                const std::function<bool(const GeneratedPiece&)>& take) const {
  GenerateOutput output;
  const Repeat repeat = input.move_session ? Repeat::kUnsafe : Repeat::kSafe;
  const absl::Status status = connection_->ReadAll(&v1::Inference::Stub::Generate, ToGenerateRequest(model, input),
                                                   repeat, [&output, &take](const v1::GenerateResponse& response) {
                                                     const GeneratedPiece piece = AddPiece(response, &output);
                                                     return !take || piece.tokens.empty() || take(piece);
                                                   });
  if (!status.ok()) return status;
  return output;
}

absl::StatusOr<Session> Client::OpenSession(absl::string_view model, absl::string_view id, int64_t version) const {
  if (id.empty()) {
    CreateSessionInput input;
    input.model = std::string(model);
    input.version = version;
    return OpenSession(std::move(input));
  }
  const absl::StatusOr<SessionDescription> found = GetSession(id);
  if (absl::IsNotFound(found.status())) {
    return Session(connection_, std::string(model), version, version, std::string(id), 0);
  }
  if (!found.ok()) return found.status();
  if (found->model != model || (version != 0 && found->version != version)) {
    return absl::FailedPreconditionError(absl::StrCat("session '", id, "' belongs to model '", found->model,
                                                      "' version ", found->version, ", not to '", model, "'",
                                                      version == 0 ? "" : absl::StrCat(" version ", version)));
  }
  return Session(connection_, std::string(model), version, found->version, std::string(id), found->position);
}

absl::StatusOr<Session> Client::OpenSession(CreateSessionInput input) const {
  const absl::Time deadline = connection_->NewDeadline();
  // The id names the home of the session, so the session begins where it will live.
  const bool has_many = connection_->RoutesNow(deadline)->size() > 1;
  if (input.session_id.empty() && has_many) input.session_id = RandomSessionId();
  const absl::StatusOr<v1::Session> created =
      connection_->Call(&v1::Sessions::Stub::CreateSession, ToCreateSessionRequest(input), Repeat::kUnsafe, deadline);
  if (!created.ok()) return created.status();
  Session session(connection_, input.model, input.version, created->version(), created->session_id(),
                  created->position());
  session.must_exist_ = input.initial_state.has_value();
  return session;
}

// A call that makes or ends a session is not repeated: after a lost reply it would say ALREADY_EXISTS or NOT_FOUND of
// what it did itself, or leave a second session behind.
absl::StatusOr<SessionDescription> Client::CreateSession(const CreateSessionInput& input) const {
  return connection_->Ask(&v1::Sessions::Stub::CreateSession, ToCreateSessionRequest(input), Repeat::kUnsafe,
                          ToSessionDescription);
}

absl::StatusOr<SessionDescription> Client::GetSession(absl::string_view id) const {
  return connection_->Ask(&v1::Sessions::Stub::GetSession, RequestFor<v1::GetSessionRequest>(id), Repeat::kSafe,
                          ToSessionDescription);
}

absl::StatusOr<SessionPage> Client::ListSessions(absl::string_view model, absl::string_view page_token,
                                                 int page_size) const {
  const absl::Time deadline = connection_->NewDeadline();
  const std::shared_ptr<const Routes> routes = connection_->RoutesNow(deadline);
  const bool has_many = routes->size() > 1;
  absl::StatusOr<std::shared_ptr<const Route>> route =
      has_many && !page_token.empty() ? TakeServer(*routes, &page_token) : connection_->RouteOf("", deadline);
  if (!route.ok()) return route.status();
  v1::ListSessionsRequest request;
  request.set_model(std::string(model));
  request.set_page_token(std::string(page_token));
  request.set_page_size(page_size);
  const absl::StatusOr<v1::ListSessionsResponse> response =
      connection_->CallServer(*route, &v1::Sessions::Stub::ListSessions, request, Repeat::kSafe, deadline);
  if (!response.ok()) return response.status();
  SessionPage page{Converted(response->sessions(), ToSessionDescription), response->next_page_token()};
  if (has_many && !page.next_page_token.empty())
    page.next_page_token = absl::StrCat((*route)->first, "/", page.next_page_token);
  return page;
}

absl::Status Client::DeleteSession(absl::string_view id) const {
  return connection_
      ->Call(&v1::Sessions::Stub::DeleteSession, RequestFor<v1::DeleteSessionRequest>(id), Repeat::kUnsafe,
             connection_->NewDeadline())
      .status();
}

absl::StatusOr<int64_t> Client::DeleteSessions(absl::string_view prefix, absl::string_view model, bool all) const {
  v1::DeleteSessionsRequest request;
  request.set_prefix(std::string(prefix));
  request.set_model(std::string(model));
  request.set_all(all);
  int64_t deleted = 0;
  const std::shared_ptr<const Routes> routes = connection_->RoutesNow(connection_->NewDeadline());
  for (const std::shared_ptr<const Route>& route : routes->all()) {
    do {
      const absl::StatusOr<v1::DeleteSessionsResponse> response = connection_->CallServer(
          route, &v1::Sessions::Stub::DeleteSessions, request, Repeat::kSafe, connection_->NewDeadline());
      if (!response.ok()) return response.status();
      deleted += response->deleted();
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
  }
  return deleted;
}

absl::StatusOr<ExportedSession> Client::ExportSession(absl::string_view id) const {
  return connection_->Ask(
      &v1::Sessions::Stub::ExportSession, RequestFor<v1::ExportSessionRequest>(id), Repeat::kSafe,
      [](v1::ExportSessionResponse response) {
        return ExportedSession{ToSessionDescription(response.session()), std::move(*response.mutable_state())};
      });
}

absl::StatusOr<SessionDescription> Client::ImportSession(absl::string_view state, absl::string_view id) const {
  auto request = RequestFor<v1::ImportSessionRequest>(id);
  request.set_state(std::string(state));
  return connection_->Ask(&v1::Sessions::Stub::ImportSession, request, Repeat::kUnsafe, ToSessionDescription);
}

absl::StatusOr<std::vector<SequenceOutput>> Client::StepMany(absl::Span<Session* const> sessions,
                                                             absl::Span<const float> inputs,
                                                             absl::Span<const int64_t> times) const {
  return Session::StepMany(connection_.get(), sessions, inputs, times);
}

absl::StatusOr<SessionDescription> Client::ForkSession(absl::string_view id, absl::string_view new_id) const {
  auto request = RequestFor<v1::ForkSessionRequest>(id);
  request.set_new_session_id(std::string(new_id));
  return connection_->Ask(&v1::Sessions::Stub::ForkSession, request, Repeat::kUnsafe, ToSessionDescription);
}

}  // namespace rondo
