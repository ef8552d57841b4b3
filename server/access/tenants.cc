#include "server/access/tenants.h"

#include <utility>

namespace rondo {

Tenant* Tenants::Named(absl::string_view name) {
  MutexLock lock(&mutex_);
  std::unique_ptr<Tenant>& tenant = tenants_[std::string(name)];
  if (tenant == nullptr) {
    tenant = std::make_unique<Tenant>(name);
    Limit(tenant.get());
  }
  return tenant.get();
}

void Tenants::SetLimits(LimitsByTenant limits) {
  MutexLock lock(&mutex_);
  limits_ = std::move(limits);
  for (const auto& named : tenants_) Limit(named.second.get());
}

void Tenants::Limit(Tenant* tenant) {
  auto found = limits_.find(tenant->name());
  if (found == limits_.end()) found = limits_.find("*");
  tenant->quota()->SetLimits(found == limits_.end() ? TenantLimits() : found->second);
}

}  // namespace rondo
