#ifndef RONDO_CLIENT_CHANNEL_H_
#define RONDO_CLIENT_CHANNEL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/client_options.h"
#include "grpcpp/grpcpp.h"

namespace rondo {

// How gRPC connects again to an address, in milliseconds. Its own first reconnect comes after a second: every retry
// before that would fail without having tried. The least is also the longest wait for one address: with gRPC's 20 s the
// next server's turn would come after every deadline.
inline constexpr int kInitialReconnectMs = 100;
inline constexpr int kMinReconnectMs = 1000;
inline constexpr int kMaxReconnectMs = 2000;
// The least time between two looks at a DNS name. With gRPC's 30 s a server that has moved is found too late.
inline constexpr int kMinDnsResolutionMs = 1000;

// INVALID_ARGUMENT: an option that this file reads is out of its bounds, or goes badly with another one.
absl::Status CheckChannelOptions(const ClientOptions& options);

// What `options` says of encryption and identity: `credentials`, else `tls`, else none.
std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const ClientOptions& options);

// Tells whether gRPC reaches this host through an HTTP proxy, which the environment (http_proxy, no_proxy and the like)
// or a channel option names.
bool IsProxied(absl::string_view host, const ClientOptions& options);

// A channel of its own to `target`, as gRPC names it. `found_by`: the HOST:PORT of the target, which its
// certificate must have; empty: that of the target. REQUIRES: CheckChannelOptions(options).
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, const ClientOptions& options,
                                           const std::string& found_by = "");

// Adds the token and the metadata of `options` to a call. INVALID_ARGUMENT: the token has bytes that no header may
// have.
absl::Status AddMetadata(const ClientOptions& options, grpc::ClientContext* context);

}  // namespace rondo

#endif  // RONDO_CLIENT_CHANNEL_H_
