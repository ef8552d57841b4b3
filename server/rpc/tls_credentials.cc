#include "server/rpc/tls_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace rondo {

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsFiles* files) {
  if (files == nullptr) return grpc::InsecureServerCredentials();
  constexpr unsigned int kRefreshSeconds = 1;
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files->identity_path(), files->identity_path(), files->client_ca_path(), kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (!files->client_ca_path().empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace rondo
