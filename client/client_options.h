#ifndef RONDO_CLIENT_CLIENT_OPTIONS_H_
#define RONDO_CLIENT_CLIENT_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"

// gRPC's, declared only: who fills an option with one of them includes gRPC's own header.
namespace grpc {
class ChannelCredentials;
namespace experimental {
class ClientInterceptorFactoryInterface;
}  // namespace experimental
}  // namespace grpc

namespace rondo {

// How a connection is encrypted. The texts are PEM, as they stand in files.
struct ClientTlsOptions {
  std::string root_certificates;  // of the authorities that may sign a server's certificate; empty: the system's
  std::string certificate_chain;  // the client's own, for servers that ask for one; empty: none
  std::string private_key;        // of certificate_chain
  std::string server_name;        // which the server's certificate must have; empty: the host of the address
};

// client/client.h includes this.
struct ClientOptions {
  // Each call ends within this time, its retries included. > 0; infinite: no limit. A stream has no such limit (see
  // PredictOptions::timeout), but this bounds the time that it tries to reach a server again.
  absl::Duration timeout = absl::Seconds(10);
  // Tries of one call, 1..16; 1: no retries. A call is tried again if the server refused it and asked to repeat it
  // (grpc-retry-pushback-ms), or if it failed with UNAVAILABLE or ABORTED and can be repeated without a second effect.
  // A live Session, and a stream that was answered before, wait for a server that restarts: only the timeout ends their
  // tries, unless this is 1.
  int max_attempts = 4;
  // Wait before the second try; doubles with each further one, less up to half at random. > 0.
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(2);
  // The most bytes of one reply.
  size_t max_reply_bytes = size_t{64} << 20;
  // Each Session keeps so many bytes of the timesteps that a server with a session store has not saved yet; 0: nothing.
  // A server that lost more than that answers FAILED_PRECONDITION.
  size_t max_unsaved_bytes = size_t{1} << 20;

  // While a call or a stream waits for a server that has been silent for so long, the client asks whether the server is
  // still there, and leaves it if no answer comes in half that time. > 0; infinite: never. A server must allow it:
  // rondo-server does from 5 s on, others may cut a connection that asks so often.
  absl::Duration keepalive = absl::Seconds(5);
  // Absent: the connection is not encrypted.
  std::optional<ClientTlsOptions> tls;
  // Credentials of gRPC's own making, instead of `tls`.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  // Gives the token that goes with a try of a call as "authorization: Bearer TOKEN"; called for each try, by the thread
  // that makes it. It is sent without `tls` too: then only over loopback, or where a proxy encrypts.
  std::function<std::string()> token;
  // Names (lower case) and values that go with every call.
  std::vector<std::pair<std::string, std::string>> metadata;
  // gRPC's channel arguments by name, e.g. {"grpc.http_proxy", "proxy:3128"}. They win over what this client sets.
  std::vector<std::pair<std::string, std::variant<int, std::string>>> channel_options;
  // Over a list of addresses, or a DNS name of several: each session has one of the servers as its home, by its id, and
  // goes to the next one while that is away; streams, and calls without a session, go to one server after the other. A
  // message for several sessions goes to the first one's home. A name is looked up again while calls are made, every 5
  // s and when a connection ends; a server that comes takes over its share of the sessions, so the servers of one name
  // must share a session store. A name that an HTTP proxy is to reach is left to the proxy. False: all go to the first
  // address that answers, until it goes.
  bool spread = true;
  // Gives the IP addresses that a host name has now; none: it is not found. Called on threads of the client's own, with
  // `spread` only; throws nothing. Null: asks the system's resolver.
  std::function<std::vector<std::string>(const std::string& host)> look_up;
  // Makes the interceptors of every call, when the client connects.
  std::function<std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>()> interceptors;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLIENT_OPTIONS_H_
