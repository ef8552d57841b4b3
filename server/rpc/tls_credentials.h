#ifndef RONDO_SERVER_RPC_TLS_CREDENTIALS_H_
#define RONDO_SERVER_RPC_TLS_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/access/tls_files.h"

namespace rondo {

// What gRPC secures connections with. It follows the files within some seconds. `files`: null: nothing is secured.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsFiles* files);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_TLS_CREDENTIALS_H_
