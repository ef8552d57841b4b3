#ifndef RONDO_CLIENT_CONNECTION_H_
#define RONDO_CLIENT_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/retry.h"
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

// The channel and its stubs, shared by a Client and all it made. Any thread.
class ClientConnection {
 public:
  // `target` as gRPC reads it.
  ClientConnection(const std::string& target, const ClientOptions& options);

  const ClientOptions& options() const { return options_; }
  v1::Inference::Stub& inference() { return *inference_; }
  // The deadline of a call that begins now.
  absl::Time NewDeadline() const { return absl::Now() + options_.timeout; }

  // Makes one unary call, and tries it again as ClientOptions says until the deadline.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, Repeat repeat, absl::Time deadline) {
    for (int number = 1;; ++number) {
      grpc::ClientContext context;
      SetDeadline(deadline, &context);
      Response response;
      const grpc::Status status = (stub<Stub>().*method)(&context, request, &response);
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
  // True after the wait that RetryDelay says: try again. False: give up; also if the deadline would pass meanwhile.
  bool WaitToRetry(const FailedTry& failed, absl::Time deadline) const;

 private:
  template <typename Stub>
  Stub& stub();

  static void SetDeadline(absl::Time deadline, grpc::ClientContext* context);
  bool WaitToRetry(const grpc::ClientContext& context, const grpc::Status& status, int number, Repeat repeat,
                   absl::Time deadline) const;

  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::Inference::Stub> inference_;
  const std::unique_ptr<v1::Models::Stub> models_;
  const std::unique_ptr<v1::Sessions::Stub> sessions_;
};

template <>
inline v1::Inference::Stub& ClientConnection::stub() {
  return *inference_;
}
template <>
inline v1::Models::Stub& ClientConnection::stub() {
  return *models_;
}
template <>
inline v1::Sessions::Stub& ClientConnection::stub() {
  return *sessions_;
}

}  // namespace rondo

#endif  // RONDO_CLIENT_CONNECTION_H_
