#ifndef RONDO_SERVER_ACCESS_SIGNING_KEYS_H_
#define RONDO_SERVER_ACCESS_SIGNING_KEYS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct evp_pkey_st;

namespace rondo {

// The public keys of a JWK set (RFC 7517): RSA keys of 2048 to 8192 bits and keys on the curve P-256, for signatures.
// Keys of other kinds and for other uses are passed over, as the RFC wants.
//
// Threads: const methods on any.
class SigningKeys {
 public:
  // INVALID_ARGUMENT: `text` is no JWK set, one of its keys is damaged, or none can be used.
  static absl::StatusOr<SigningKeys> Parse(const std::string& text);

  // OK: `signature` is that of `text` by the key `id`, made as `algorithm` says: RS256 or ES256. An empty id: that of
  // the only key. UNAUTHENTICATED: it is not.
  absl::Status Check(absl::string_view algorithm, absl::string_view id, absl::string_view text,
                     absl::string_view signature) const;

 private:
  struct Key {
    absl::string_view algorithm;
    std::shared_ptr<evp_pkey_st> key;
  };

  std::map<std::string, Key, std::less<>> keys_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_ACCESS_SIGNING_KEYS_H_
