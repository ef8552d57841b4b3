#include "server/access/tenants.h"

namespace rondo {

const Tenant* Tenants::Named(absl::string_view name) {
  MutexLock lock(&mutex_);
  std::unique_ptr<Tenant>& tenant = tenants_[std::string(name)];
  if (tenant == nullptr) tenant = std::make_unique<Tenant>(name);
  return tenant.get();
}

}  // namespace rondo
