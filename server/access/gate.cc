#include "server/access/gate.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<Gate>> Gate::Open(const GateOptions& options, Metrics* metrics) {
  std::unique_ptr<Gate> gate(new Gate(options, metrics));
  if (!options.tokens_file.empty()) {
    absl::StatusOr<std::unique_ptr<Credentials>> credentials = Credentials::Open(options.tokens_file, &gate->tenants_);
    if (!credentials.ok()) return credentials.status();
    gate->credentials_ = *std::move(credentials);
  }
  if (!options.jwt.jwks_file.empty()) {
    absl::StatusOr<std::unique_ptr<JwtKeys>> keys = JwtKeys::Open(options.jwt, &gate->tenants_);
    if (!keys.ok()) return keys.status();
    gate->jwt_keys_ = *std::move(keys);
  }
  return gate;
}

void Gate::Refresh() {
  if (credentials_ != nullptr) credentials_->Refresh();
  if (jwt_keys_ != nullptr) jwt_keys_->Refresh();
  tenants_.Count();
}

absl::Status Gate::CountSession(absl::string_view tenant, int change) const {
  TenantQuota* const quota = tenants_.Named(tenant)->quota();
  if (change > 0) return quota->TakeSession();
  quota->GiveBackSession();
  return absl::OkStatus();
}

absl::StatusOr<Principal> Gate::Identify(const Shown& shown, absl::Time now) const {
  const absl::StatusOr<absl::string_view> token = BearerToken(shown);
  if (!token.ok()) return token.status();
  if (credentials_ == nullptr && token->empty()) {
    return Refuse(Why::kUnauthenticated, "no credentials; wanted the metadata authorization: Bearer TOKEN");
  }
  if (jwt_keys_ != nullptr && (credentials_ == nullptr || JwtKeys::Looks(*token))) {
    return jwt_keys_->Identify(*token, now);
  }
  return credentials_->Identify(shown, now);
}

absl::StatusOr<Principal> Gate::Admit(const MethodRule* rule, const Shown& shown, absl::Time now) const {
  if (rule == nullptr) return Refuse(Why::kPermission, "no rule says who may call this method");
  if (rule->role == Role::kAnyone) return Principal{nameless_, Role::kAnyone};
  absl::StatusOr<Principal> principal = Principal{nameless_, Role::kAdmin};
  if (asks()) principal = Identify(shown, now);
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
