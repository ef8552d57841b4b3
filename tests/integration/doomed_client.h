#ifndef RONDO_TESTS_INTEGRATION_DOOMED_CLIENT_H_
#define RONDO_TESTS_INTEGRATION_DOOMED_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "rondo/v1/inference.grpc.pb.h"
#include "tests/integration/tcp_relay.h"

namespace rondo {

// kReset, kClose: the connection breaks, see ConnectionEnd. kCancel: it lives, the call is cancelled.
enum class Death { kReset, kClose, kCancel };
constexpr int kDeaths = 3;

// A client with a connection of its own and one call, about to die.
//
// Threads: one, but for the call.
class DoomedClient {
 public:
  using Stream = grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>;

  // Connects.
  DoomedClient(const std::string& server, Death death);

  v1::Inference::Stub& stub() { return *stub_; }
  // Of its only call, which fails by itself after a minute.
  grpc::ClientContext* context() { return &context_; }

  // Opens its only stream; the server has been told when this returns.
  std::unique_ptr<Stream> OpenStream();
  // Writes to the stream; all of it has gone to the server when this returns.
  void Send(const v1::PredictRequest& request, Stream* stream);
  // Until so many bytes have gone to the server since the connection was made.
  void WaitUntilSent(size_t bytes);

  void Die();
  // Dies without anybody being told.
  void FallSilent() { relay_.FallSilent(); }
  // Dies when `part` of the request's bytes have gone to the server. Death::kCancel closes, too: a call that is
  // cancelled sends no half messages.
  void DieWhileSending(const v1::PredictRequest& request, size_t part, Stream* stream);

 private:
  TcpRelay relay_;
  const Death death_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Inference::Stub> stub_;
  grpc::ClientContext context_;
  size_t connected_bytes_ = 0;
  size_t sent_bytes_ = 0;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_DOOMED_CLIENT_H_
