#include "client/connection.h"

#include <chrono>
#include <optional>
#include <random>

#include "absl/random/random.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

ClientConnection::ClientConnection(std::vector<ServerTarget> servers, std::optional<ServerName> name,
                                   const ClientOptions& options)
    : options_(options),
      as_addressed_(std::make_shared<const Routes>(std::move(servers), options)),
      name_(std::move(name)),
      named_servers_(name_.has_value()
                         ? std::make_unique<NamedServers>(*name_, options.look_up ? options.look_up : LookUpHost)
                         : nullptr),
      next_call_(std::random_device()()),
      next_stream_(next_call_.load()) {}

std::shared_ptr<const Routes> ClientConnection::RoutesNow(absl::Time deadline) {
  if (named_servers_ == nullptr) return as_addressed_;
  const NamedServers::Addresses now = named_servers_->Current(deadline);
  if (now->empty()) return as_addressed_;
  const MutexLock lock(&mutex_);
  if (now != addresses_) {
    std::vector<ServerTarget> servers = TargetsOf(absl::StrJoin(*now, ",")).value();
    for (ServerTarget& server : servers) server.name = absl::StrCat(name_->host, ":", name_->port);
    found_ = std::make_shared<const Routes>(std::move(servers), options_);
    addresses_ = now;
  }
  return found_;
}

std::shared_ptr<const Route> ClientConnection::RouteOf(absl::string_view session_id, absl::Time deadline) {
  const std::shared_ptr<const Routes> routes = RoutesNow(deadline);
  if (routes->size() == 1) return routes->all().front();
  return session_id.empty() ? routes->all()[next_call_++ % routes->size()] : routes->HomeOf(session_id);
}

std::shared_ptr<const Route> ClientConnection::NextStreamRoute() {
  const std::shared_ptr<const Routes> routes = RoutesNow(NewDeadline());
  return routes->all()[next_stream_++ % routes->size()];
}

absl::Status ClientConnection::Prepare(absl::Time deadline, grpc::ClientContext* context) const {
  if (deadline != absl::InfiniteFuture()) context->set_deadline(absl::ToChronoTime(deadline));
  return AddMetadata(options_, context);
}

bool ClientConnection::WaitToRetry(const grpc::ClientContext& context, const grpc::Status& status, int number,
                                   Repeat repeat, absl::Time deadline) {
  FailedTry failed;
  failed.number = number;
  failed.code = static_cast<absl::StatusCode>(status.error_code());
  failed.repeat = repeat;
  failed.pushback = Pushback(context);
  return WaitToRetry(failed, deadline);
}

bool ClientConnection::WaitToRetry(const FailedTry& failed, absl::Time deadline) {
  if (named_servers_ != nullptr && failed.code == absl::StatusCode::kUnavailable) named_servers_->ConnectionEnded();
  absl::BitGen random;
  const std::optional<absl::Duration> delay = RetryDelay(options_, failed, absl::Uniform(random, 0.0, 1.0));
  if (!delay.has_value() || absl::Now() + *delay >= deadline) return false;
  absl::SleepFor(*delay);
  return true;
}

}  // namespace rondo
