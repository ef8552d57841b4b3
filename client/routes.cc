#include "client/routes.h"

#include <utility>

#include "client/channel.h"

namespace rondo {

Route::Route(const ServerTarget& server, const ClientOptions& options)
    : first(server.first),
      channel(MakeChannel(server.target, options, server.name)),
      inference(v1::Inference::NewStub(channel)),
      models(v1::Models::NewStub(channel)),
      sessions(v1::Sessions::NewStub(channel)) {}

Routes::Routes(std::vector<ServerTarget> servers, const ClientOptions& options) : servers_(std::move(servers)) {
  for (const ServerTarget& server : servers_) routes_.push_back(std::make_shared<const Route>(server, options));
}

std::shared_ptr<const Route> Routes::To(absl::string_view first) const {
  for (const auto& route : routes_) {
    if (route->first == first) return route;
  }
  return nullptr;
}

}  // namespace rondo
