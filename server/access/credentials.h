#ifndef RONDO_SERVER_ACCESS_CREDENTIALS_H_
#define RONDO_SERVER_ACCESS_CREDENTIALS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "server/access/followed_file.h"
#include "server/access/tenants.h"

namespace rondo {

// What a call shows of its caller.
struct Shown {
  // The values of `authorization` in the call's metadata.
  std::vector<absl::string_view> authorizations;
  // The names in the certificate that the client's connection has shown, and that a CA of the clients has signed.
  std::vector<absl::string_view> certificate_names;
};

// Returns the token that is shown after "Bearer"; empty: no authorization is shown. UNAUTHENTICATED: several are, or
// one of another kind.
absl::StatusOr<absl::string_view> BearerToken(const Shown& shown);

// Says who the callers are that show a token or a certificate: the lines of a file, as it was when it was last without
// fault.
//
//   # comment
//   9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 acme predict
//   2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae acme admin 2027-01-31
//   cert:meter-7.acme.example acme predict
//
//   limit acme streams=100 sessions=10000 steps_per_second=50000 bytes_per_second=10000000
//   limit * streams=10 connections=20 session_lifetime=24h class=trial
//
// Each line: the SHA-256 of a token in hex, or "cert:" and a name in a certificate; the tenant; a role; until when it
// holds, if it ends. The tenant "-" is the one without a name. Or what a tenant may take, see TenantTerms; "*": each
// with a name that has no such line of its own.
//
// Threads: Refresh on one thread; Identify on any.
class Credentials {
 public:
  static constexpr size_t kMaxFileBytes = 16 << 20;

  // INVALID_ARGUMENT: a line is not as above; the message says which and what was wanted. Other codes: the file cannot
  // be read. `tenants` outlives the result.
  static absl::StatusOr<std::unique_ptr<Credentials>> Open(const std::string& file, Tenants* tenants);

  // Reads the file again. To be called about once a second. A file with a fault changes nothing but the log.
  void Refresh();

  // UNAUTHENTICATED: nothing is shown, or nothing that the file knows, or it holds no longer.
  absl::StatusOr<Principal> Identify(const Shown& shown, absl::Time now) const;

 private:
  struct Entry {
    Principal principal;
    absl::Time until = absl::InfiniteFuture();
  };
  // Entries by the digest of a token, as bytes, or by "cert:NAME".
  using Entries = absl::flat_hash_map<std::string, Entry>;

  Credentials(const std::string& file, Tenants* tenants)
      : file_("tokens_file", file, kMaxFileBytes), tenants_(tenants) {}
  // Holds what the lines of a file say.
  struct Lines {
    Entries entries;
    TermsByTenant terms;
  };
  absl::StatusOr<Lines> Parse(absl::string_view text) const;
  absl::Status ParseLine(absl::string_view line, Lines* lines) const;
  absl::Status Load(const std::string& text);

  FollowedFile file_;
  Tenants* const tenants_;
  mutable Mutex mutex_;
  std::shared_ptr<const Entries> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_CREDENTIALS_H_
