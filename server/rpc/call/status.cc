#include "server/rpc/call/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "server/session/ended_sessions.h"
#include "server/session/session_table.h"

namespace rondo {
namespace {

// A full queue empties within some batches; longer waits only idle the client.
constexpr int kRetryAfterMs = 100;

}  // namespace

absl::Status ShuttingDown() { return absl::UnavailableError("the server is shutting down"); }

int RetryAfterMs(const absl::Status& status) { return absl::IsResourceExhausted(status) ? kRetryAfterMs : 0; }

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.raw_code()), std::string(status.message()));
}

grpc::Status ToGrpcStatus(const absl::Status& status, grpc::ServerContext* context) {
  if (const int retry_after_ms = RetryAfterMs(status); retry_after_ms > 0) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", absl::StrCat(retry_after_ms));
  }
  if (IsUnknownSession(status)) context->AddTrailingMetadata("rondo-next-position", "0");
  return ToGrpcStatus(status);
}

void ToProto(const absl::Status& status, v1::Status* proto) {
  proto->set_code(status.raw_code());
  proto->set_message(std::string(status.message()));
  proto->set_retry_after_ms(RetryAfterMs(status));
}

void RecordRefusal(Rejection reason, const absl::Status& status, RequestsProbe* metrics) {
  metrics->rejected[reason].Add();
  const absl::string_view name = LabelOf(reason);
  int64_t skipped = 0;
  if (!ShouldLogRefusal(name, &skipped)) return;
  LogEvent(LogLevel::kWarning, "refused",
           {{"reason", std::string(name)},
            {"code", absl::StatusCodeToString(status.code())},
            {"message", std::string(status.message())},
            {"skipped", absl::StrCat(skipped)}});
}

Rejection RejectionOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Rejection::kNotFound;
    case absl::StatusCode::kFailedPrecondition:
      return Rejection::kPosition;
    case absl::StatusCode::kResourceExhausted:
      return IsSessionsFull(status) ? Rejection::kSessionsFull : Rejection::kQueueFull;
    case absl::StatusCode::kDeadlineExceeded:
      return Rejection::kDeadline;
    case absl::StatusCode::kCancelled:
      return Rejection::kCancelled;
    case absl::StatusCode::kAborted:
      return Rejection::kMoved;
    case absl::StatusCode::kUnavailable:
      return Rejection::kDraining;
    default:
      return Rejection::kInvalid;
  }
}

Rejection SessionRejectionOf(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDataLoss(status) ? Rejection::kStore : RejectionOf(status);
}

}  // namespace rondo
