#ifndef RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/async_unary_call.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/forecast_path.h"
#include "server/serve/forecast_plan.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

// One unary Forecast. It copies the session's state and lets the session go, so that live steps never wait for it; then
// its paths are stateless sequences. Owns itself.
class ForecastCall : public Call, private LeaseWaiter, private ForecastPath::Owner {
 public:
  // Waits for the next Forecast on the context's loop, and from then on always for one more.
  static void Listen(const RpcContext* context, v1::Inference::AsyncService* service);

 private:
  ForecastCall(const RpcContext* context, v1::Inference::AsyncService* service);

  void OnArrived(bool ok);
  void OnGranted(bool ok);
  void OnFinished(bool ok);
  void OnContextDone(bool ok);
  void OnLease(absl::StatusOr<SessionLease> lease) override;
  void OnPathDone(const absl::Status& status) override;

  // OK: it has started, or waits for the session.
  absl::Status Start();
  absl::Status StartFromSession(SessionLease session);
  absl::Status StartFromHistory(const ServedModelPtr& model);
  // `state`: to start from, or null for zero; `given`: the session's newest output, or empty.
  absl::Status Run(absl::StatusOr<ForecastPlan> plan, const float* state, absl::Span<const float> given);
  absl::Status CheckPaths(const ForecastPlan& plan) const;
  void CancelPaths();
  void FillResponse();
  void Reply(const absl::Status& status);
  void DeleteWhenOver();

  const RpcContext* const context_;
  v1::Inference::AsyncService* const service_;
  grpc::ServerContext server_context_;
  grpc::ServerAsyncResponseWriter<v1::ForecastResponse> writer_{&server_context_};
  MethodEvent<ForecastCall> arrived_{this, &ForecastCall::OnArrived};
  MethodEvent<ForecastCall> granted_{this, &ForecastCall::OnGranted};
  MethodEvent<ForecastCall> finished_{this, &ForecastCall::OnFinished};
  MethodEvent<ForecastCall> context_done_{this, &ForecastCall::OnContextDone};

  v1::ForecastRequest request_;
  v1::ForecastResponse response_;
  ServedModelPtr model_;
  absl::Time start_;
  absl::StatusOr<SessionLease> granted_lease_;  // written by OnLease on any thread; the inbox hands it over
  std::vector<std::unique_ptr<ForecastPath>> paths_;
  size_t unfinished_paths_ = 0;
  absl::Status path_status_;  // the first failure
  bool is_waiting_ = false;
  bool is_cancelled_ = false;
  bool is_finished_ = false;
  bool is_context_done_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_
