#include "client/connection.h"

#include <chrono>
#include <optional>
#include <random>

#include "absl/random/random.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "client/channel.h"
#include "client/retry.h"

namespace rondo {
namespace {

constexpr absl::string_view kNextPosition = "rondo-next-position";

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

std::optional<absl::string_view> Pushback(const grpc::ClientContext& context) {
  return Trailer(context, "grpc-retry-pushback-ms");
}

ClientConnection::Route::Route(const std::string& target, const ClientOptions& options)
    : channel(MakeChannel(target, options)),
      inference(v1::Inference::NewStub(channel)),
      models(v1::Models::NewStub(channel)),
      sessions(v1::Sessions::NewStub(channel)) {}

ClientConnection::ClientConnection(std::vector<ServerTarget> servers, const ClientOptions& options)
    : options_(options),
      servers_(std::move(servers)),
      next_call_(std::random_device()()),
      next_stream_(next_call_.load()) {
  for (const ServerTarget& server : servers_) routes_.emplace_back(server.target, options);
}

size_t ClientConnection::ServerOf(absl::string_view session_id) {
  if (!has_many_servers()) return 0;
  return session_id.empty() ? next_call_++ % servers_.size() : HomeOf(session_id, servers_);
}

absl::Status ClientConnection::Prepare(absl::Time deadline, grpc::ClientContext* context) const {
  if (deadline != absl::InfiniteFuture()) context->set_deadline(absl::ToChronoTime(deadline));
  return AddMetadata(options_, context);
}

bool ClientConnection::WaitToRetry(const grpc::ClientContext& context, const grpc::Status& status, int number,
                                   Repeat repeat, absl::Time deadline) const {
  FailedTry failed;
  failed.number = number;
  failed.code = static_cast<absl::StatusCode>(status.error_code());
  failed.repeat = repeat;
  failed.pushback = Pushback(context);
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
