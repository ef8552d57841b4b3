#include "server/access/gate.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<Gate>> Gate::Open(const GateOptions& options) {
  std::unique_ptr<Gate> gate(new Gate(options));
  if (options.tokens_file.empty()) return gate;
  absl::StatusOr<std::unique_ptr<Credentials>> credentials = Credentials::Open(options.tokens_file, &gate->tenants_);
  if (!credentials.ok()) return credentials.status();
  gate->credentials_ = *std::move(credentials);
  return gate;
}

void Gate::Refresh() {
  if (credentials_ != nullptr) credentials_->Refresh();
}

absl::Status Gate::CountSession(absl::string_view tenant, int change) const {
  TenantQuota* const quota = tenants_.Named(tenant)->quota();
  if (change > 0) return quota->TakeSession();
  quota->GiveBackSession();
  return absl::OkStatus();
}

absl::StatusOr<Principal> Gate::Admit(const MethodRule* rule, const Shown& shown, absl::Time now) const {
  if (rule == nullptr) return Refuse(Why::kPermission, "no rule says who may call this method");
  if (rule->role == Role::kAnyone) return Principal{nameless_, Role::kAnyone};
  absl::StatusOr<Principal> principal = Principal{nameless_, Role::kAdmin};
  if (credentials_ != nullptr) principal = credentials_->Identify(shown, now);
  if (!principal.ok()) return principal;
  const bool is_reflection = absl::StartsWith(rule->method, "grpc.reflection.");
  if ((is_reflection && !options_.reflection) || (rule->role == Role::kAdmin && !options_.admin)) {
    return Refuse(Why::kPermission, absl::StrCat(rule->method, " is turned off on this server"));
  }
  if (principal->role >= rule->role) return principal;
  return Refuse(Why::kPermission, absl::StrCat(rule->method, " takes the role ", NameOf(rule->role),
                                               "; these credentials have ", NameOf(principal->role)));
}

}  // namespace rondo
