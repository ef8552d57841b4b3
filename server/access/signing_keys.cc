#include "server/access/signing_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "nlohmann/json.hpp"
#include "server/access/json_text_member.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

constexpr absl::string_view kRsa = "RS256", kEc = "ES256";
constexpr size_t kCoordinateBytes = 32;  // of P-256

void FreeParams(OSSL_PARAM* params) { OSSL_PARAM_free(params); }

// The bytes of a member in base64url; empty: there are none.
std::string BytesOf(const Json& json, const char* name) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(TextMember(json, name), &bytes)) return {};
  return bytes;
}

// Null: `params` are no public key of that type.
std::shared_ptr<EVP_PKEY> MakeKey(const char* type, OSSL_PARAM_BLD* builder) {
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder), &FreeParams);
  const Owned<EVP_PKEY_CTX> maker(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), &EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  if (params == nullptr || maker == nullptr || EVP_PKEY_fromdata_init(maker.get()) != 1 ||
      EVP_PKEY_fromdata(maker.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  std::shared_ptr<EVP_PKEY> key(made, &EVP_PKEY_free);
  const Owned<EVP_PKEY_CTX> checker(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), &EVP_PKEY_CTX_free);
  return EVP_PKEY_public_check(checker.get()) == 1 ? key : nullptr;
}

std::shared_ptr<EVP_PKEY> RsaKey(const Json& jwk) {
  const auto number = [&jwk](const char* name) {
    const std::string bytes = BytesOf(jwk, name);
    return Owned<BIGNUM>(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr),
        &BN_free);
  };
  const Owned<BIGNUM> n = number("n"), e = number("e");
  if (BN_num_bits(n.get()) < 2048 || BN_num_bits(n.get()) > 8192 || BN_num_bits(e.get()) > 64) return nullptr;
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return MakeKey("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> EcKey(const Json& jwk) {
  const std::string x = BytesOf(jwk, "x"), y = BytesOf(jwk, "y");
  if (x.size() != kCoordinateBytes || y.size() != kCoordinateBytes) return nullptr;
  const std::string point = absl::StrCat("\x04", x, y);  // uncompressed
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new(), &OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return MakeKey("EC", builder.get());
}

// What the algorithm of a usable key is; empty: the key is for something else.
absl::string_view AlgorithmOf(const Json& jwk) {
  const std::string type = TextMember(jwk, "kty"), use = TextMember(jwk, "use"), named = TextMember(jwk, "alg");
  if (!use.empty() && use != "sig") return {};
  absl::string_view algorithm;
  if (type == "RSA") algorithm = kRsa;
  if (type == "EC" && TextMember(jwk, "crv") == "P-256") algorithm = kEc;
  return named.empty() || named == algorithm ? algorithm : absl::string_view();
}

// r and s, one after the other, as OpenSSL wants them; empty: there is something else.
std::string DerOf(absl::string_view signature) {
  if (signature.size() != 2 * kCoordinateBytes) return {};
  const auto* const bytes = reinterpret_cast<const unsigned char*>(signature.data());
  const Owned<ECDSA_SIG> pair(ECDSA_SIG_new(), &ECDSA_SIG_free);
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes, kCoordinateBytes, nullptr),
                 BN_bin2bn(bytes + kCoordinateBytes, kCoordinateBytes, nullptr));
  std::string der(static_cast<size_t>(i2d_ECDSA_SIG(pair.get(), nullptr)), '\0');
  auto* end = reinterpret_cast<unsigned char*>(&der[0]);
  i2d_ECDSA_SIG(pair.get(), &end);
  return der;
}

}  // namespace

absl::StatusOr<SigningKeys> SigningKeys::Parse(const std::string& text) {
  const Json set = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto list = set.is_object() ? set.find("keys") : set.end();
  if (!set.is_object() || list == set.end() || !list->is_array()) {
    return absl::InvalidArgumentError("this is no JWK set; wanted {\"keys\": [...]}");
  }
  SigningKeys keys;
  for (const Json& jwk : *list) {
    const absl::string_view algorithm = jwk.is_object() ? AlgorithmOf(jwk) : absl::string_view();
    if (algorithm.empty()) continue;
    std::string id = TextMember(jwk, "kid");
    Key key{algorithm, algorithm == kRsa ? RsaKey(jwk) : EcKey(jwk)};
    if (key.key == nullptr) {
      return Invalid("key \"", absl::CHexEscape(id),
                     "\" is no public key: wanted an "
                     "RSA key of 2048 to 8192 bits, or a point on P-256");
    }
    if (!keys.keys_.emplace(std::move(id), std::move(key)).second) {
      return absl::InvalidArgumentError("two keys have one \"kid\": wanted one for each");
    }
  }
  if (!keys.keys_.empty()) return keys;
  return absl::InvalidArgumentError("no key can be used: wanted at least one for RS256 or ES256");
}

absl::Status SigningKeys::Check(absl::string_view algorithm, absl::string_view id, absl::string_view text,
                                absl::string_view signature) const {
  const auto found = id.empty() && keys_.size() == 1 ? keys_.begin() : keys_.find(id);
  if (found == keys_.end()) return Refuse(Why::kUnauthenticated, "the token is signed with a key that is not known");
  if (found->second.algorithm != algorithm) {
    return Refuse(Why::kUnauthenticated, absl::StrCat("the token is signed in another way than its key is for; wanted ",
                                                      found->second.algorithm));
  }
  const std::string signed_with = algorithm == kEc ? DerOf(signature) : std::string(signature);
  const Owned<EVP_MD_CTX> check(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool is_right =
      EVP_DigestVerifyInit(check.get(), nullptr, EVP_sha256(), nullptr, found->second.key.get()) == 1 &&
      EVP_DigestVerify(check.get(), reinterpret_cast<const unsigned char*>(signed_with.data()), signed_with.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  return is_right ? absl::OkStatus() : Refuse(Why::kUnauthenticated, "the token's signature is wrong");
}

}  // namespace rondo
