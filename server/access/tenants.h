#ifndef RONDO_SERVER_ACCESS_TENANTS_H_
#define RONDO_SERVER_ACCESS_TENANTS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/access/method_rules.h"
#include "server/metrics/metrics.h"
#include "server/serve/tenant_quota.h"

namespace rondo {

// One customer of the server: those who share sessions and quotas. What belongs to one tenant does not exist for
// another.
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

// What a line of limits says of a tenant.
struct TenantTerms {
  TenantLimits limits;
  std::string tenant_class = "default";  // by which its numbers are in the metrics
};

// The terms of tenants by name; "*": of those that have none of their own. "*" is not for the tenant without a name,
// whose calls are those of everyone who need not say who they are.
using TermsByTenant = std::map<std::string, TenantTerms>;

// Every tenant that was ever named, so that calls can point to theirs.
//
// Ownership: owns the tenants, and outlives every call.
// Threads:   every method may be called from any thread.
class Tenants {
 public:
  // The most classes that have metrics. A class that nobody has any more still counts.
  static constexpr size_t kMaxClasses = 16;

  // `metrics` outlives this.
  explicit Tenants(Metrics* metrics) : metrics_(metrics) {}

  // Returns the tenant of this name, which is made when it is first asked for.
  Tenant* Named(absl::string_view name);
  // Replaces the terms of all tenants. INVALID_ARGUMENT: there are too many classes; nothing has changed.
  absl::Status SetTerms(TermsByTenant terms);
  // Shows in the metrics what the tenants of each class have now. To be called about once a second.
  void Count();

 private:
  const TenantTerms& TermsOf(const Tenant& tenant) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Limit(Tenant* tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Null: of the tenant without a name, which nobody counts.
  TenantClassProbe* CountsOf(const Tenant& tenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Metrics* const metrics_;
  Mutex mutex_;
  TermsByTenant terms_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, TenantClassProbe*> classes_ ABSL_GUARDED_BY(mutex_);  // all that ever were
  std::map<std::string, std::unique_ptr<Tenant>> tenants_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_TENANTS_H_
