#ifndef RONDO_CLIENT_ROUTES_H_
#define RONDO_CLIENT_ROUTES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/client_options.h"
#include "client/server_address.h"
#include "grpcpp/grpcpp.h"
#include "rondo/v1/inference.grpc.pb.h"
#include "rondo/v1/models.grpc.pb.h"
#include "rondo/v1/sessions.grpc.pb.h"

namespace rondo {

// A channel that asks one server first, and its stubs.
struct Route {
  Route(const ServerTarget& server, const ClientOptions& options);

  template <typename Stub>
  Stub& StubOf() const {
    if constexpr (std::is_same_v<Stub, v1::Inference::Stub>) return *inference;
    if constexpr (std::is_same_v<Stub, v1::Models::Stub>) return *models;
    if constexpr (std::is_same_v<Stub, v1::Sessions::Stub>) return *sessions;
  }

  const std::string first;  // the address of the server that is asked first
  const std::shared_ptr<grpc::Channel> channel;
  const std::unique_ptr<v1::Inference::Stub> inference;
  const std::unique_ptr<v1::Models::Stub> models;
  const std::unique_ptr<v1::Sessions::Stub> sessions;
};

// The servers of an address at one time, with a route to each. Immutable; a route may outlive the others.
class Routes {
 public:
  // REQUIRES: there is a server.
  Routes(std::vector<ServerTarget> servers, const ClientOptions& options);

  size_t size() const { return routes_.size(); }
  const std::vector<std::shared_ptr<const Route>>& all() const { return routes_; }
  // The route to the home of a session.
  std::shared_ptr<const Route> HomeOf(absl::string_view session_id) const {
    return routes_[rondo::HomeOf(session_id, servers_)];
  }
  // Null: no server here has this address.
  std::shared_ptr<const Route> To(absl::string_view first) const;

 private:
  const std::vector<ServerTarget> servers_;
  std::vector<std::shared_ptr<const Route>> routes_;  // one for each of servers_
};

}  // namespace rondo

#endif  // RONDO_CLIENT_ROUTES_H_
