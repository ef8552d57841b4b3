#ifndef RONDO_SERVER_RPC_CALL_STATUS_H_
#define RONDO_SERVER_RPC_CALL_STATUS_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "rondo/v1/inference.pb.h"
#include "server/metrics/requests_probe.h"

namespace rondo {

// When a client that met RESOURCE_EXHAUSTED should try again, in milliseconds; 0: no advice for this status.
int RetryAfterMs(const absl::Status& status);

// What a call hears that comes, or goes on, while the server drains. UNAVAILABLE.
absl::Status ShuttingDown();

grpc::Status ToGrpcStatus(const absl::Status& status);

// The same, with the trailer grpc-retry-pushback-ms where there is advice, and rondo-next-position of a session that is
// unknown rather than ended.
grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContext* context);

void ToProto(const absl::Status& status, v1::Status* proto);

// Counts a refusal, and logs its cause: the first of each second, with the number of those since the last line.
void RecordRefusal(Rejection reason, const absl::Status& status, RequestsProbe* metrics);

// The reason that a status stands for, as far as it tells.
Rejection RejectionOf(const absl::Status& status);
// The same for an error of the session table of a server that does not drain: UNAVAILABLE is its store's.
Rejection SessionRejectionOf(const absl::Status& status);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STATUS_H_
