#include "server/rpc_front.h"

#include <grpcpp/server_builder.h>

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "server/rpc/grpc_port.h"
#include "server/rpc/limit_connections.h"
#include "server/rpc/tls_credentials.h"

namespace rondo {
namespace {

// Once it shuts down gRPC resets calls that still arrive, and their clients read CANCELLED: not a word that makes
// anyone try another server. For so long calls are answered UNAVAILABLE first.
constexpr absl::Duration kRefusalTime = absl::Milliseconds(200);

// For the last bytes and gRPC's own goodbye. It would wait for each client's answer, and a client that makes no call
// looks at its socket every 5 s only.
constexpr absl::Duration kGoodbyeTime = absl::Milliseconds(200);

}  // namespace

std::string AddressWithPort(absl::string_view asked, int port) {
  return port == 0 ? std::string(asked) : absl::StrCat(asked.substr(0, asked.rfind(':')), ":", port);
}

RpcFront::RpcFront(const ServerOptions* options, Metrics* metrics, const Drain* drain)
    : options_(options), metrics_(metrics), drain_(drain) {}

RpcFront::~RpcFront() = default;

absl::Status RpcFront::Start(const House& house, absl::FunctionRef<RpcContext(size_t loop_number)> context_of) {
  if (absl::Status status = OpenListener(house); !status.ok()) return status;
  grpc::ServerBuilder builder;
  auto hand_on = TakeConnections(TlsCredentials(house.tls), &builder);
  SetLimits(options_->requests, options_->keepalive_time, &builder);
  LimitConnections(options_->connection_limits(), &builder);
  services_.RegisterWith(&builder);
  for (size_t i = 0; i < house.loops; ++i) {
    loops_.push_back(std::make_unique<RpcLoop>(builder.AddCompletionQueue(), options_->loops.active_set, house.helpers,
                                               metrics_->ForLoop(i), metrics_->loops(), context_of(i)));
  }
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    loops_.clear();
    return absl::UnavailableError("gRPC does not start");
  }
  for (const std::unique_ptr<RpcLoop>& part : loops_) services_.ServeHotCalls(&part->context);
  services_.ServeRareCalls(&loops_.front()->context);
  for (const std::unique_ptr<RpcLoop>& part : loops_) part->loop.Start();
  listener_->Start(std::move(hand_on));
  return absl::OkStatus();
}

absl::Status RpcFront::OpenListener(const House& house) {
  Listener::Options options;
  options.address = options_->listen;
  options.max_connections = house.most_connections;
  if (options_->max_connections > 0)
    options.max_connections = std::min(house.most_connections, options_->max_connections);
  options.user_timeout = options_->keepalive_time;  // as gRPC's own sockets have it
  options.unix_socket_access = options_->unix_socket_access;
  if (house.gate->asks()) {
    TenantConnections* const tenants = house.gate->connections();
    options.on_opened = [tenants](int connection, absl::string_view peer) { tenants->Opened(connection, peer); };
    options.on_closed = [tenants](int connection) { tenants->Closed(connection); };
  }
  absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Open(options, metrics_);
  if (!listener.ok()) return listener.status();
  listener_ = *std::move(listener);
  address_ = AddressWithPort(options_->listen, listener_->port());
  return absl::OkStatus();
}

void RpcFront::TellHealth() {
  for (const std::unique_ptr<RpcLoop>& part : loops_) {
    if (part->health.Claim()) part->loop.Post(&part->health);
  }
}

void RpcFront::Tick() {
  for (const std::unique_ptr<RpcLoop>& part : loops_) {
    if (part->tick.Claim()) part->loop.Post(&part->tick);
  }
}

void RpcFront::FinishCalls(absl::Duration timeout) {
  for (const std::unique_ptr<RpcLoop>& part : loops_) part->loop.Post(&part->drain);
  absl::SleepFor(std::min(kRefusalTime, timeout));
  // Nothing more is read, and what was read is answered.
  WaitUntil([this](const RpcLoop& part) { return part.drain.told() && metrics_->requests()->in_flight.Value() == 0; });
}

void RpcFront::Leave() {
  for (const std::unique_ptr<RpcLoop>& part : loops_) part->loop.Post(&part->leave);
  WaitUntil([](const RpcLoop& part) { return part.leave.told() && part.calls.told_left() == 0; });
  listener_->Stop();
  server_->Shutdown(absl::ToChronoTime(std::min(drain_->deadline(), absl::Now() + kGoodbyeTime)));
  for (const std::unique_ptr<RpcLoop>& part : loops_) part->calls.WaitUntilNone();
  loops_.clear();
  server_.reset();
  listener_.reset();
}

void RpcFront::WaitUntil(absl::FunctionRef<bool(const RpcLoop&)> is_so) const {
  const auto is_so_of = [&is_so](const std::unique_ptr<RpcLoop>& part) { return is_so(*part); };
  while (!absl::c_all_of(loops_, is_so_of) && absl::Now() < drain_->deadline()) {
    absl::SleepFor(Drain::kPoll);
  }
}

}  // namespace rondo
