#ifndef RONDO_SERVER_ACCESS_TENANTS_H_
#define RONDO_SERVER_ACCESS_TENANTS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/access/method_rules.h"
#include "server/serve/tenant_quota.h"

namespace rondo {

// Those who share sessions and quotas. What belongs to one tenant does not exist for another.
class Tenant {
 public:
  explicit Tenant(absl::string_view name) : name_(name) {}

  // Empty: the tenant of a server that asks nobody who they are.
  const std::string& name() const { return name_; }
  TenantQuota* quota() { return &quota_; }

 private:
  const std::string name_;
  TenantQuota quota_;
};

// The tenant that a file or a token names: 1 to 64 letters, digits and "_.-"; "-" is the one without a name.
absl::StatusOr<std::string> ParseTenant(absl::string_view word);

// Who makes a call.
struct Principal {
  Tenant* tenant = nullptr;
  Role role = Role::kAnyone;
};

// The limits of tenants by name; "*": of those that have none of their own.
using LimitsByTenant = std::map<std::string, TenantLimits>;

// Every tenant that was ever named, so that calls can point to theirs.
//
// Ownership: owns the tenants, and outlives every call.
// Threads:   every method may be called from any thread.
class Tenants {
 public:
  // Made when first asked for.
  Tenant* Named(absl::string_view name);
  // From now on these hold, and no others.
  void SetLimits(LimitsByTenant limits);

 private:
  void Limit(Tenant* tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  LimitsByTenant limits_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Tenant>> tenants_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_TENANTS_H_
