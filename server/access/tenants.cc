#include "server/access/tenants.h"

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
