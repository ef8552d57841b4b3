#include "server/access/tenants.h"

#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "base/invalid.h"

namespace rondo {

absl::StatusOr<std::string> ParseTenant(absl::string_view word) {
  constexpr size_t kMaxBytes = 64;
  if (word == "-") return std::string();
  const bool plain = absl::c_all_of(word, [](char c) { return absl::ascii_isalnum(c) || absl::StrContains("_.-", c); });
  if (plain && !word.empty() && word.size() <= kMaxBytes) return std::string(word);
  return Invalid("\"", absl::CHexEscape(word), "\": wanted a tenant, 1 to ", kMaxBytes, " of letters, digits and _.-");
}

Tenant* Tenants::Named(absl::string_view name) {
  MutexLock lock(&mutex_);
  std::unique_ptr<Tenant>& tenant = tenants_[std::string(name)];
  if (tenant == nullptr) {
    tenant = std::make_unique<Tenant>(name);
    Limit(tenant.get());
  }
  return tenant.get();
}

absl::Status Tenants::SetTerms(TermsByTenant terms) {
  MutexLock lock(&mutex_);
  std::set<std::string> classes;
  for (const auto& known : classes_) classes.insert(known.first);
  for (const auto& [name, of_tenant] : terms) classes.insert(of_tenant.tenant_class);
  if (classes.size() > kMaxClasses) {
    return Invalid(classes.size(), " classes of tenants since the server started; wanted at most ", kMaxClasses);
  }
  terms_ = std::move(terms);
  for (const auto& named : tenants_) Limit(named.second.get());
  return absl::OkStatus();
}

const TenantTerms& Tenants::TermsOf(const Tenant& tenant) const {
  static const TenantTerms* const none = new TenantTerms();
  auto found = terms_.find(tenant.name());
  if (found == terms_.end() && !tenant.name().empty()) found = terms_.find("*");
  return found == terms_.end() ? *none : found->second;
}

TenantClassProbe* Tenants::CountsOf(const Tenant& tenant) {
  if (tenant.name().empty()) return nullptr;
  const std::string& name = TermsOf(tenant).tenant_class;
  TenantClassProbe*& counts = classes_[name];
  if (counts == nullptr) counts = metrics_->ForTenantClass(name);
  return counts;
}

void Tenants::Limit(Tenant* tenant) { tenant->quota()->SetLimits(TermsOf(*tenant).limits, CountsOf(*tenant)); }

void Tenants::Count() {
  struct Sums {
    int64_t tenants = 0, sessions = 0, streams = 0, connections = 0;
  };
  MutexLock lock(&mutex_);
  std::map<TenantClassProbe*, Sums> sums;
  for (const auto& known : classes_) sums[known.second];
  for (const auto& named : tenants_) {
    TenantClassProbe* const counts = CountsOf(*named.second);
    if (counts == nullptr) continue;
    const TenantQuota& quota = *named.second->quota();
    Sums& sum = sums[counts];
    ++sum.tenants;
    sum.sessions += quota.sessions();
    sum.streams += quota.streams();
    sum.connections += quota.connections();
  }
  for (const auto& [counts, sum] : sums) {
    counts->tenants.Set(sum.tenants);
    counts->sessions.Set(sum.sessions);
    counts->streams.Set(sum.streams);
    counts->connections.Set(sum.connections);
  }
}

}  // namespace rondo
