#ifndef RONDO_CLIENT_CONNECTION_H_
#define RONDO_CLIENT_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/retry.h"
#include "client/server_address.h"
#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/models.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"

namespace rondo {

// gRPC's status as abseil's. With the call's context the status also says where the session stands: see
// ExpectedPosition.
absl::Status ToStatus(const grpc::Status& status);
absl::Status ToStatus(const grpc::Status& status, const grpc::ClientContext& context);

// The position from which the session goes on, if a refusal said it in the server's trailer rondo-next-position.
std::optional<int64_t> ExpectedPosition(const absl::Status& status);

// When to come back, if the server of a call that has ended said so: FailedTry::pushback.
std::optional<absl::string_view> Pushback(const grpc::ClientContext& context);

template <typename Request, typename = void>
struct HasSessionId : std::false_type {};
template <typename Request>
struct HasSessionId<Request, std::void_t<decltype(std::declval<Request>().session_id())>> : std::true_type {};

// The channels and their stubs, shared by a Client and all it made. Any thread.
class ClientConnection {
 public:
  // REQUIRES: there is a server; see CheckChannelOptions for the options.
  ClientConnection(std::vector<ServerTarget> servers, const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  size_t num_servers() const { return servers_.size(); }
  bool has_many_servers() const { return servers_.size() > 1; }
  // The server of a call about a session, by its place in the list; empty: of each server in its turn.
  size_t ServerOf(absl::string_view session_id);
  // For a stream: of each server in its turn.
  v1::Inference::Stub& NextInference() { return *routes_[next_stream_++ % routes_.size()].inference; }
  // The deadline of a call that begins now.
  absl::Time NewDeadline() const { return absl::Now() + options_.timeout; }

  // Makes one unary call, and tries it again as ClientOptions says until the deadline.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, Repeat repeat, absl::Time deadline) {
    return CallServer(ServerOf(SessionIdOf(request)), method, request, repeat, deadline);
  }
  // As Call, of one server, by its place in the list; of another one only while that is away.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallServer(size_t server,
                                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                      const Request& request, Repeat repeat, absl::Time deadline) {
    Stub& stub = StubOf<Stub>(routes_[server]);
    for (int number = 1;; ++number) {
      grpc::ClientContext context;
      if (absl::Status status = Prepare(deadline, &context); !status.ok()) return status;
      Response response;
      const grpc::Status status = (stub.*method)(&context, request, &response);
      if (status.ok()) return response;
      if (!WaitToRetry(context, status, number, repeat, deadline)) return ToStatus(status, context);
    }
  }
  // Makes a unary call that begins now, and returns what `convert` makes of its response.
  template <typename Stub, typename Request, typename Response, typename Convert>
  auto Ask(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), const Request& request,
           Repeat repeat, const Convert& convert) -> absl::StatusOr<std::decay_t<decltype(convert(Response()))>> {
    absl::StatusOr<Response> response = Call(method, request, repeat, NewDeadline());
    if (!response.ok()) return response.status();
    return convert(*std::move(response));
  }
  // Makes a call that begins now and is answered by a stream, and gives `take` each response until it returns false,
  // which cancels the call. Tried again as a unary call is, unless a response has come.
  template <typename Request, typename Response, typename Take>
  absl::Status ReadAll(std::unique_ptr<grpc::ClientReader<Response>> (v1::Inference::Stub::*method)(
                           grpc::ClientContext*, const Request&),
                       const Request& request, Repeat repeat, const Take& take) {
    const absl::Time deadline = NewDeadline();
    v1::Inference::Stub& stub = StubOf<v1::Inference::Stub>(routes_[ServerOf(SessionIdOf(request))]);
    for (int number = 1;; ++number) {
      grpc::ClientContext context;
      if (absl::Status status = Prepare(deadline, &context); !status.ok()) return status;
      const auto reader = (stub.*method)(&context, request);
      Response response;
      bool came = false;
      while (reader->Read(&response)) {
        came = true;
        if (!take(response)) context.TryCancel();
      }
      const grpc::Status status = reader->Finish();
      if (status.ok()) return absl::OkStatus();
      if (came || !WaitToRetry(context, status, number, repeat, deadline)) return ToStatus(status, context);
    }
  }
  // Gives a call what every call has. INVALID_ARGUMENT: the token cannot be sent.
  absl::Status Prepare(absl::Time deadline, grpc::ClientContext* context) const;
  // True after the wait that RetryDelay says: try again. False: give up; also if the deadline would pass meanwhile.
  bool WaitToRetry(const FailedTry& failed, absl::Time deadline) const;

 private:
  // A channel that asks one server first, and its stubs.
  struct Route {
    Route(const std::string& target, const ClientOptions& options);

    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<v1::Inference::Stub> inference;
    std::unique_ptr<v1::Models::Stub> models;
    std::unique_ptr<v1::Sessions::Stub> sessions;
  };

  template <typename Stub>
  static Stub& StubOf(const Route& route) {
    if constexpr (std::is_same_v<Stub, v1::Inference::Stub>) return *route.inference;
    if constexpr (std::is_same_v<Stub, v1::Models::Stub>) return *route.models;
    if constexpr (std::is_same_v<Stub, v1::Sessions::Stub>) return *route.sessions;
  }
  // The session that a request is about, of several the first; empty: of none.
  template <typename Request>
  static absl::string_view SessionIdOf(const Request& request) {
    if constexpr (std::is_same_v<Request, v1::PredictRequest>) {
      return request.sequences().empty() ? absl::string_view() : request.sequences(0).session_id();
    } else if constexpr (HasSessionId<Request>::value) {
      return request.session_id();
    } else {
      return {};
    }
  }

  bool WaitToRetry(const grpc::ClientContext& context, const grpc::Status& status, int number, Repeat repeat,
                   absl::Time deadline) const;

  const ClientOptions options_;
  const std::vector<ServerTarget> servers_;
  std::vector<Route> routes_;  // one for each of servers_
  // Turns begin at random, so that not every client begins with the same server.
  std::atomic<size_t> next_call_;
  std::atomic<size_t> next_stream_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CONNECTION_H_
