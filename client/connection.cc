#include "client/connection.h"

#include <algorithm>
#include <chrono>
#include <climits>
#include <optional>

#include "absl/random/random.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "client/retry.h"

namespace rondo {
namespace {

constexpr absl::string_view kNextPosition = "rondo-next-position";

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(std::min<size_t>(options.max_reply_bytes, INT_MAX)));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kInitialReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectMs);
  // Clients of one process share connections to an address otherwise, and each other's backoff.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

std::optional<absl::string_view> Trailer(const grpc::ClientContext& context, absl::string_view name) {
  const auto& trailers = context.GetServerTrailingMetadata();
  const auto found = trailers.find({name.data(), name.size()});
  if (found == trailers.end()) return std::nullopt;
  return absl::string_view(found->second.data(), found->second.size());
}

}  // namespace

absl::Status ToStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::Status ToStatus(const grpc::Status& status, const grpc::ClientContext& context) {
  absl::Status converted = ToStatus(status);
  if (const auto position = Trailer(context, kNextPosition)) converted.SetPayload(kNextPosition, absl::Cord(*position));
  return converted;
}

std::optional<int64_t> ExpectedPosition(const absl::Status& status) {
  const absl::optional<absl::Cord> text = status.GetPayload(kNextPosition);
  int64_t position = 0;
  if (!text.has_value() || !absl::SimpleAtoi(std::string(*text), &position) || position < 0) return std::nullopt;
  return position;
}

ClientConnection::ClientConnection(const std::string& target, const ClientOptions& options)
    : options_(options),
      channel_(MakeChannel(target, options)),
      inference_(v1::Inference::NewStub(channel_)),
      models_(v1::Models::NewStub(channel_)),
      sessions_(v1::Sessions::NewStub(channel_)) {}

void ClientConnection::SetDeadline(absl::Time deadline, grpc::ClientContext* context) {
  if (deadline != absl::InfiniteFuture()) context->set_deadline(absl::ToChronoTime(deadline));
}

bool ClientConnection::WaitToRetry(const grpc::ClientContext& context, const grpc::Status& status, int number,
                                   Repeat repeat, absl::Time deadline) const {
  FailedTry failed;
  failed.number = number;
  failed.code = static_cast<absl::StatusCode>(status.error_code());
  failed.repeat = repeat;
  failed.pushback = Trailer(context, "grpc-retry-pushback-ms");
  return WaitToRetry(failed, deadline);
}

bool ClientConnection::WaitToRetry(const FailedTry& failed, absl::Time deadline) const {
  absl::BitGen random;
  const std::optional<absl::Duration> delay = RetryDelay(options_, failed, absl::Uniform(random, 0.0, 1.0));
  if (!delay.has_value() || absl::Now() + *delay >= deadline) return false;
  absl::SleepFor(*delay);
  return true;
}

}  // namespace rondo
