#ifndef RONDO_SERVER_RPC_NATIVE_FORECAST_MESSAGE_H_
#define RONDO_SERVER_RPC_NATIVE_FORECAST_MESSAGE_H_

#include "absl/time/time.h"
#include "rondo/v1/inference.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/forecast.h"
#include "server/serve/message_owner.h"

namespace rondo {

// One ForecastRequest and its ForecastResponse, as PredictCall wants a message.
//
// Threads: the loop's own.
class ForecastMessage : private MessageOwner {
 public:
  ForecastMessage(const RpcContext* context, Method, MessageOwner* owner) : owner_(owner), forecast_(context, this) {}

  // Fill before Start; untouched until OnMessageDone.
  v1::ForecastRequest* request() { return &request_; }
  const v1::ForecastResponse& response() const { return response_; }
  const absl::Status& status() const { return forecast_.status(); }

  // Starts the forecast. Called once at most. The owner hears OnMessageDone once, at once or later.
  void Start(absl::Time now, absl::Time deadline);
  void Cancel() { forecast_.Cancel(); }

 private:
  void OnMessageDone() override;

  MessageOwner* const owner_;
  v1::ForecastRequest request_;
  v1::ForecastResponse response_;
  Forecast forecast_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_FORECAST_MESSAGE_H_
