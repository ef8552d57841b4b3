#ifndef RONDO_SERVER_RPC_CALL_STATUS_H_
#define RONDO_SERVER_RPC_CALL_STATUS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "rondo/v1/inference.pb.h"

namespace rondo {

// Makes gRPC's status of one of ours, and sets the trailers of a refusal: grpc-retry-pushback-ms where there is advice,
// and rondo-next-position where the session goes on at a known one.
grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContext* context);

void ToProto(const absl::Status& status, v1::Status* proto);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STATUS_H_
