#include "server/rpc/grpc_port.h"

#include <grpc/grpc.h>

#include <utility>

namespace rondo {
namespace {

// Frames around a message of exactly max_message_bytes: field tags and lengths of the reply's sequences.
constexpr size_t kReplyFraming = 64 << 10;

// Headers of one call. gRPC 1.51 ends the whole connection, with all of its calls, over a call that has more; so this
// is more than the proxies let through by default that clients share a connection of.
constexpr int kMaxMetadataBytes = 64 << 10;

// A client that has connected says so within this time, or its place is given to another.
constexpr absl::Duration kHandshakeTimeout = absl::Seconds(10);

int Milliseconds(absl::Duration duration) { return static_cast<int>(absl::ToInt64Milliseconds(duration)); }

// Asks silent clients whether they are still there. One whose machine died says no goodbye; and gRPC 1.51 does not
// see a reset that comes together with the bytes before it (with TCP_INQ it takes "nothing left to read" for "nothing
// happened", and the edge-triggered epoll does not tell twice). Without this both hold their streams for two hours.
void KeepAlive(absl::Duration time, grpc::ServerBuilder* builder) {
  // Clients may ask too, also without a call: gRPC would cut them for it. Ours ask every five seconds at most, and
  // what they send may bunch on the way.
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 4000);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  if (time == absl::ZeroDuration()) return;
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(time));
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(time));
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no limit: a silent stream is asked again
}

}  // namespace

void SetLimits(const ServeLimits& limits, absl::Duration keepalive_time, grpc::ServerBuilder* builder) {
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, Milliseconds(kHandshakeTimeout));
  // gRPC checks the size of a compressed message only once it has inflated it.
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder->AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder->SetMaxReceiveMessageSize(static_cast<int>(limits.max_message_bytes));
  builder->SetMaxSendMessageSize(static_cast<int>(limits.max_message_bytes + kReplyFraming));
  KeepAlive(keepalive_time, builder);
}

std::function<void(int, int)> TakeConnections(std::shared_ptr<grpc::ServerCredentials> credentials,
                                              grpc::ServerBuilder* builder) {
  const auto acceptor = std::shared_ptr(builder->experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, std::move(credentials)));
  return [acceptor](int listening_socket, int connection) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listening_socket;
    parameters.fd = connection;
    acceptor->HandleNewConnection(&parameters);
  };
}

}  // namespace rondo
