#include "server/rpc/call/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/refusal/retry_advice.h"

namespace rondo {

grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContext* context) {
  if (status.ok()) return grpc::Status::OK;
  const Refusal refusal = RefusalOf(status);
  if (refusal.retry_after_ms > 0) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", absl::StrCat(RetryAfterMs(refusal)));
  }
  if (refusal.next_position) {
    context->AddTrailingMetadata("rondo-next-position", absl::StrCat(*refusal.next_position));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()), std::string(status.message()));
}

void ToProto(const absl::Status& status, v1::Status* proto) {
  proto->set_code(status.raw_code());
  proto->set_message(std::string(status.message()));
  proto->set_retry_after_ms(RetryAfterMs(RefusalOf(status)));
}

}  // namespace rondo
