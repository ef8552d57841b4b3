#ifndef RONDO_SERVER_ACCESS_JWT_KEYS_H_
#define RONDO_SERVER_ACCESS_JWT_KEYS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/access/followed_file.h"
#include "server/access/signing_keys.h"
#include "server/access/tenants.h"

namespace rondo {

// Says whose JSON Web Tokens (RFC 7519) are believed.
struct JwtOptions {
  std::string jwks_file;  // a JWK set (RFC 7517) of RSA and P-256 keys; empty: no such token is believed
  std::string issuer;     // the claim "iss" of each token
  std::string audience;   // is, or is among, the claim "aud"
};

// Tells who has a JSON Web Token that one of the keys of a file has signed, with RS256 or ES256 (RFC 7518). Its claims:
// "iss", "aud", "exp", "nbf" if it has one, "tenant" as in Credentials, and "role": predict, sessions or admin.
//
// Threads: Refresh on one thread; Identify on any.
class JwtKeys {
 public:
  // INVALID_ARGUMENT: the file is no JWK set, or has no key that can be used. Other codes: the file cannot be read.
  // `tenants` outlives the result.
  static absl::StatusOr<std::unique_ptr<JwtKeys>> Open(const JwtOptions& options, Tenants* tenants);

  // Tells whether a token looks like a JSON Web Token: three parts, of which the first is JSON.
  static bool Looks(absl::string_view token);

  // Reads the file again. To be called about once a second. A file with a fault changes nothing but the log.
  void Refresh();

  // UNAUTHENTICATED: the token is not signed by one of the keys, or not for this server, or holds not now.
  absl::StatusOr<Principal> Identify(absl::string_view token, absl::Time now) const;

 private:
  // What a token says that was found to be signed.
  struct Claims {
    Principal principal;
    absl::Time from = absl::InfinitePast();
    absl::Time until;
  };
  static constexpr size_t kMaxRemembered = 10'000;

  JwtKeys(const JwtOptions& options, Tenants* tenants);
  absl::Status Load(const std::string& text);
  absl::StatusOr<Claims> Read(absl::string_view token, const SigningKeys& keys) const;
  absl::StatusOr<Claims> ReadClaims(absl::string_view part) const;

  const JwtOptions options_;
  Tenants* const tenants_;
  FollowedFile file_;
  mutable Mutex mutex_;
  std::shared_ptr<const SigningKeys> keys_ ABSL_GUARDED_BY(mutex_);
  // What tokens said whose signatures were found good, by the token: to check a signature takes longer than a step.
  mutable absl::flat_hash_map<std::string, Claims> remembered_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_JWT_KEYS_H_
