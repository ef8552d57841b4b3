#ifndef RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "server/rpc/call/rpc_call.h"
#include "server/serve/forecast_path.h"
#include "server/serve/forecast_plan.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

// One unary Forecast. It copies the session's state and lets the session go, so that live steps never wait for it; then
// its paths are stateless sequences.
class ForecastCall : public RpcCall, private LeaseWaiter, private ForecastPath::Owner {
 public:
  ForecastCall(const RpcContext* context, v1::Inference::AsyncService* service);

 private:
  void OnArrived() override;
  void OnCancelled() override;
  void OnGranted(bool ok);
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

  v1::Inference::AsyncService* const service_;
  grpc::ServerAsyncResponseWriter<v1::ForecastResponse> writer_{server_context()};
  CallEvent<&ForecastCall::OnGranted> granted_{this};

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
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_FORECAST_CALL_H_
