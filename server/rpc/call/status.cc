#include "server/rpc/call/status.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/refusal/retry_advice.h"

namespace rondo {
namespace {

// Of a message, the beginning: it may repeat what a client has sent. In a call's trailers a long one would cost the
// client, or a proxy that has many clients, the whole connection: gRPC takes 8 KiB of them by default.
std::string BeginningOf(absl::string_view message) {
  constexpr size_t kMaxBytes = 2048;
  if (message.size() <= kMaxBytes) return std::string(message);
  size_t end = kMaxBytes;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return absl::StrCat(message.substr(0, end), "...");
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContext* context) {
  if (status.ok()) return grpc::Status::OK;
  const Refusal refusal = RefusalOf(status);
  if (refusal.retry_after_ms > 0) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", absl::StrCat(RetryAfterMs(refusal)));
  }
  if (refusal.next_position) {
    context->AddTrailingMetadata("rondo-next-position", absl::StrCat(*refusal.next_position));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()), BeginningOf(status.message()));
}

void ToProto(const absl::Status& status, v1::Status* proto) {
  proto->set_code(status.raw_code());
  proto->set_message(BeginningOf(status.message()));
  proto->set_retry_after_ms(RetryAfterMs(RefusalOf(status)));
}

}  // namespace rondo
