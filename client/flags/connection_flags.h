#ifndef RONDO_CLIENT_FLAGS_CONNECTION_FLAGS_H_
#define RONDO_CLIENT_FLAGS_CONNECTION_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/option_table.h"
#include "client/client_options.h"

namespace rondo {

// What a command line says of the way to its server: TLS and a token.
struct ConnectionFlags {
  bool tls = false;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  std::string tls_server_name;
  std::string token_file;
};

// The rows of the option table.
std::vector<Option> ConnectionRows(ConnectionFlags* flags);

// Reads the files that the flags name. The token's file is read again for each call, so that a token may be renewed.
// INVALID_ARGUMENT: a file cannot be read, or is empty.
absl::Status ReadConnectionFlags(const ConnectionFlags& flags, ClientOptions* options);

}  // namespace rondo

#endif  // RONDO_CLIENT_FLAGS_CONNECTION_FLAGS_H_
