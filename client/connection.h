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
#include "base/mutex.h"
#include "client/client.h"
#include "client/named_servers.h"
#include "client/retry.h"
#include "client/routes.h"
#include "client/server_address.h"
#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"

namespace rondo {

// gRPC's status as abseil's. With the call's context the status also says where the session stands: see
// ExpectedPosition.
absl::Status ToStatus(const grpc::Status& status);
absl::Status ToStatus(const grpc::Status& status, const grpc::ClientContext& context);

// The position from which the session goes on, if a refusal said it in the server's trailer rondo-next-position.
std::optional<int64_t> ExpectedPosition(const absl::Status& status);

// Returns the server's advice when to try a call again that has ended, for FailedTry::pushback; nothing: it gave none.
std::optional<absl::string_view> Pushback(const grpc::ClientContext& context);

template <typename Request, typename = void>
struct HasSessionId : std::false_type {};
template <typename Request>
struct HasSessionId<Request, std::void_t<decltype(std::declval<Request>().session_id())>> : std::true_type {};

// The ways to the servers, shared by a Client and all it made. Any thread.
class ClientConnection {
 public:
  // `name`: the address is this DNS name, whose servers are looked up as calls are made; `servers` is what gRPC makes
  // of it. REQUIRES: there is a server; see CheckChannelOptions for the options.
  ClientConnection(std::vector<ServerTarget> servers, std::optional<ServerName> name, const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  // The servers as they are now. Of a name they are known once it was looked up, which this waits for until `deadline`.
  std::shared_ptr<const Routes> RoutesNow(absl::Time deadline);
  // Returns the way to the home of a session. An empty id: each server is taken in its turn.
  std::shared_ptr<const Route> RouteOf(absl::string_view session_id, absl::Time deadline);
  // Returns the way of a stream that is opened now: each server is taken in its turn.
  std::shared_ptr<const Route> NextStreamRoute();
  // The deadline of a call that begins now.
  absl::Time NewDeadline() const { return absl::Now() + options_.timeout; }

  // Makes one unary call, and tries it again as ClientOptions says until the deadline.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, Repeat repeat, absl::Time deadline) {
    return CallBy([&] { return RouteOf(SessionIdOf(request), deadline); }, method, request, repeat, deadline);
  }
  // Does what Call does, but asks the server of `route`; another one is asked only while that one is away.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallServer(const std::shared_ptr<const Route>& route,
                                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                      const Request& request, Repeat repeat, absl::Time deadline) {
    return CallBy([&route] { return route; }, method, request, repeat, deadline);
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
    for (int number = 1;; ++number) {
      const std::shared_ptr<const Route> route = RouteOf(SessionIdOf(request), deadline);
      grpc::ClientContext context;
      if (absl::Status status = Prepare(deadline, &context); !status.ok()) return status;
      const auto reader = (*route->inference.*method)(&context, request);
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
  bool WaitToRetry(const FailedTry& failed, absl::Time deadline);

 private:
  // Does what Call does, by the route that `choose` gives for each try.
  template <typename Choose, typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallBy(const Choose& choose,
                                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                  const Request& request, Repeat repeat, absl::Time deadline) {
    for (int number = 1;; ++number) {
      const std::shared_ptr<const Route> route = choose();
      grpc::ClientContext context;
      if (absl::Status status = Prepare(deadline, &context); !status.ok()) return status;
      Response response;
      const grpc::Status status = (route->template StubOf<Stub>().*method)(&context, request, &response);
      if (status.ok()) return response;
      if (!WaitToRetry(context, status, number, repeat, deadline)) return ToStatus(status, context);
    }
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
                   absl::Time deadline);

  const ClientOptions options_;
  const std::shared_ptr<const Routes> as_addressed_;  // to what the address says without a look at DNS
  const std::optional<ServerName> name_;
  const std::unique_ptr<NamedServers> named_servers_;  // null: there is no name to look up
  Mutex mutex_;
  NamedServers::Addresses addresses_ ABSL_GUARDED_BY(mutex_);  // that found_ leads to
  std::shared_ptr<const Routes> found_ ABSL_GUARDED_BY(mutex_);
  // Turns begin at random, so that not every client begins with the same server.
  std::atomic<size_t> next_call_;
  std::atomic<size_t> next_stream_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CONNECTION_H_
