#ifndef RONDO_SERVER_RPC_NATIVE_GENERATE_CALL_H_
#define RONDO_SERVER_RPC_NATIVE_GENERATE_CALL_H_

#include <grpcpp/support/async_stream.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "server/rpc/call/one_message_call.h"
#include "server/serve/generation.h"

namespace rondo {

// One call of Generate. One write is under way at most; the tokens that come meanwhile go with the next one. They are
// no more than max_tokens, so a client that reads slowly holds nothing up.
class GenerateCall : public OneMessageCall, private GenerationOwner {
 public:
  GenerateCall(const RpcContext* context, const ServedMethod& method)
      : OneMessageCall(context, method), generation_(context, this) {
    Await(&stream_);
  }

 private:
  void ListenAgain() override { Listen<GenerateCall>(context(), method()); }
  void ReadMessage(Event* event) override { stream_.Read(&request_, event); }
  void OnMessage() override;
  void OnDenied(const absl::Status& status) override { Finish(status); }
  void OnGone() override { generation_.Cancel(); }
  void OnTokens() override { Advance(); }
  void OnMessageDone() override;
  void OnWritten(bool ok);

  // The request as a view of it.
  GenerateView View();
  // Writes what has come, if it is enough, or ends the call.
  void Advance();
  // Moves the next tokens into response_.
  void FillResponse(size_t tokens);
  void AppendTexts(absl::Span<const int32_t> tokens, std::string* text) const;
  void AddBeam(const FoundSequence& found);
  void Finish(const absl::Status& status);

  v1::GenerateRequest request_;
  v1::GenerateResponse response_;
  grpc::ServerAsyncReaderWriter<v1::GenerateResponse, v1::GenerateRequest> stream_{server_context()};
  CallEvent<&GenerateCall::OnWritten> written_event_{this};
  std::vector<absl::string_view> stop_texts_;  // of the request
  std::vector<absl::string_view> elements_;    // of its initial state
  Generation generation_;
  size_t written_ = 0;  // tokens that have been written
  bool writing_ = false;
  bool done_ = false;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_GENERATE_CALL_H_
