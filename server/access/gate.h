#ifndef RONDO_SERVER_ACCESS_GATE_H_
#define RONDO_SERVER_ACCESS_GATE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/credentials.h"
#include "server/access/jwt_keys.h"
#include "server/access/method_rules.h"
#include "server/access/tenant_connections.h"
#include "server/access/tenants.h"

namespace rondo {

struct GateOptions {
  // See Credentials. Empty, and no file of keys either: everyone is the tenant without a name, with every role.
  std::string tokens_file;
  JwtOptions jwt;          // without a file: no JSON Web Token is believed
  bool reflection = true;  // false: nobody may ask what methods there are
  bool admin = true;       // false: nobody may call what Role::kAdmin is for
};

// Stands before every method of every service: decides who calls, and whether they may.
//
// Threads: Refresh on one thread; Admit on any.
class Gate {
 public:
  // Errors as Credentials::Open and JwtKeys::Open have them.
  // `metrics` outlives the result.
  static absl::StatusOr<std::unique_ptr<Gate>> Open(const GateOptions& options, Metrics* metrics);

  // Looks at the files again. To be called about once a second.
  void Refresh();

  // Counts a session of the tenant that enters memory (1) or leaves it (-1), as SessionOptions::count wants it.
  // RESOURCE_EXHAUSTED: the tenant has no room for one more.
  absl::Status CountSession(absl::string_view tenant, int change) const;

  // Returns how long a session of the tenant lives at most, as SessionOptions::max_lifetime_of wants it.
  absl::Duration SessionLifetimeOf(absl::string_view tenant) const {
    Tenant* const named = tenant.empty() ? nameless_ : tenants_.Named(tenant);
    return named->quota()->session_lifetime();
  }
  // Returns those who are told which connections there are.
  TenantConnections* connections() { return &connections_; }
  // Tells whether a call that Admit let through claims its connection for `tenant`. A method for anyone claims none,
  // and a tenant that may have any number of connections needs none.
  static bool ClaimsConnection(const MethodRule& rule, Tenant* tenant) {
    return rule.role != Role::kAnyone && tenant->quota()->limits_connections();
  }
  // `tenant` makes such a call on the connection of `peer`, see TenantConnections::Claim.
  absl::Status ClaimConnection(absl::string_view peer, Tenant* tenant) const {
    return connections_.Claim(peer, tenant);
  }

  // Tells whether anyone has to say who they are.
  bool asks() const { return credentials_ != nullptr || jwt_keys_ != nullptr; }

  // Tells who calls. `rule`: of the method; null: it has none, so nobody may. UNAUTHENTICATED: nobody knows who calls.
  // PERMISSION_DENIED: they may not, or nobody may. A method for anyone asks for nothing.
  absl::StatusOr<Principal> Admit(const MethodRule* rule, const Shown& shown, absl::Time now) const;

 private:
  Gate(const GateOptions& options, Metrics* metrics) : options_(options), tenants_(metrics) {}
  absl::StatusOr<Principal> Identify(const Shown& shown, absl::Time now) const;

  const GateOptions options_;
  mutable Tenants tenants_;
  Tenant* const nameless_ = tenants_.Named("");
  mutable TenantConnections connections_;
  std::unique_ptr<Credentials> credentials_;  // null: there is no file
  std::unique_ptr<JwtKeys> jwt_keys_;         // null: there is no file
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_GATE_H_
