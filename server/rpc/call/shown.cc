#include "server/rpc/call/shown.h"

namespace rondo {

Shown ShownBy(const grpc::ServerContext& context, const Gate& gate) {
  Shown shown;
  if (!gate.asks()) return shown;
  const auto authorizations = context.client_metadata().equal_range("authorization");
  for (auto it = authorizations.first; it != authorizations.second; ++it) {
    shown.authorizations.emplace_back(it->second.data(), it->second.size());
  }
  for (const grpc::string_ref& name : context.auth_context()->GetPeerIdentity()) {
    shown.certificate_names.emplace_back(name.data(), name.size());
  }
  return shown;
}

}  // namespace rondo
