#include "server/access/tenant_connections.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_replace.h"
#include "base/unix_scheme.h"

namespace rondo {
namespace {

// gRPC writes the brackets of an IPv6 address as "%5B" and "%5D", or as they are.
std::string WithoutBrackets(absl::string_view peer) {
  return absl::StrReplaceAll(peer, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
}

}  // namespace

void TenantConnections::Opened(int descriptor, absl::string_view peer) {
  Closed(descriptor);
  if (IsUnix(peer)) return;
  std::string name = WithoutBrackets(peer);
  MutexLock lock(&mutex_);
  descriptor_of_[name] = descriptor;
  connections_[descriptor].peer = std::move(name);
}

void TenantConnections::Closed(int descriptor) {
  MutexLock lock(&mutex_);
  const auto found = connections_.find(descriptor);
  if (found == connections_.end()) return;
  for (Tenant* const tenant : found->second.tenants) tenant->quota()->GiveBackConnection();
  const auto named = descriptor_of_.find(found->second.peer);
  if (named != descriptor_of_.end() && named->second == descriptor) descriptor_of_.erase(named);
  connections_.erase(found);
}

absl::Status TenantConnections::Claim(absl::string_view peer, Tenant* tenant) {
  const std::string name = WithoutBrackets(peer);
  MutexLock lock(&mutex_);
  const auto named = descriptor_of_.find(name);
  if (named == descriptor_of_.end()) return absl::OkStatus();
  std::vector<Tenant*>& tenants = connections_[named->second].tenants;
  if (absl::c_linear_search(tenants, tenant)) return absl::OkStatus();
  absl::Status taken = tenant->quota()->TakeConnection();
  if (taken.ok()) tenants.push_back(tenant);
  return taken;
}

}  // namespace rondo
