#include "server/access/jwt_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/access/gate.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

const absl::Time kTokenTime = absl::FromUnixSeconds(1'800'000'000);

std::string Base64(const std::string& bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  return text.substr(0, text.find('='));
}

std::string NumberOf(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* number = nullptr;
  EVP_PKEY_get_bn_param(key, name, &number);
  std::string text(static_cast<size_t>(bytes == 0 ? BN_num_bytes(number) : bytes), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(&text[0]), static_cast<int>(text.size()));
  BN_free(number);
  return Base64(text);
}

// A key that signs, and what a JWK set says of it.
class Signer {
 public:
  static Signer Rsa(const std::string& id, unsigned int bits = 2048) { return Signer(id, EVP_RSA_gen(bits), "RS256"); }
  static Signer Ec(const std::string& id) { return Signer(id, EVP_EC_gen("P-256"), "ES256"); }

  std::string Jwk(const std::string& more = "") const {
    const std::string head = absl::StrCat("{\"kid\":\"", id_, "\",", more);
    if (algorithm_ == "RS256") {
      return absl::StrCat(head, "\"kty\":\"RSA\",\"n\":\"", NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0),
                          "\",\"e\":\"", NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0), "\"}");
    }
    return absl::StrCat(head, R"("kty":"EC","crv":"P-256","x":")", NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32),
                        "\",\"y\":\"", NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32), "\"}");
  }

  std::string Sign(const std::string& claims) const {
    return SignAs(absl::StrCat(R"({"alg":")", algorithm_, R"(","kid":")", id_, "\"}"), claims);
  }
  std::string SignAs(const std::string& header, const std::string& claims) const {
    const std::string text = Base64(header) + "." + Base64(claims);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    size_t size = 1024;
    std::string signature(size, '\0');
    auto* const bytes = reinterpret_cast<unsigned char*>(&signature[0]);
    EVP_DigestSign(context.get(), bytes, &size, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    signature.resize(size);
    return text + "." + Base64(algorithm_ == "ES256" ? Pair(signature) : signature);
  }

 private:
  Signer(std::string id, EVP_PKEY* key, std::string algorithm)
      : id_(std::move(id)), key_(key, &EVP_PKEY_free), algorithm_(std::move(algorithm)) {}

  static std::string Pair(const std::string& der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* const read = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string pair(64, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(&pair[0]);
    BN_bn2binpad(ECDSA_SIG_get0_r(read), out, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(read), out + 32, 32);
    ECDSA_SIG_free(read);
    return pair;
  }

  std::string id_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string algorithm_;
};

std::string SetOf(const std::vector<std::string>& jwks) {
  return absl::StrCat("{\"keys\":[", absl::StrJoin(jwks, ","), "]}");
}

// The claims of a token that holds, with `change` in place of the claim of its name.
std::string Claims(const std::string& name = "", const std::string& change = "") {
  std::string claims;
  for (const auto& [claim, value] : std::vector<std::pair<std::string, std::string>>{{"iss", "\"https://id.example\""},
                                                                                     {"aud", "\"rondo\""},
                                                                                     {"exp", "1800000060"},
                                                                                     {"tenant", "\"acme\""},
                                                                                     {"role", "\"sessions\""}}) {
    const std::string& used = claim == name ? change : value;
    if (!used.empty()) absl::StrAppend(&claims, claims.empty() ? "{" : ",", "\"", claim, "\":", used);
  }
  if (name == "nbf" || name == "crit") absl::StrAppend(&claims, ",\"", name, "\":", change);
  return claims + "}";
}

class JwtKeysTest : public ::testing::Test {
 protected:
  absl::Status Open(const std::string& set) {
    Write(set);
    absl::StatusOr<std::unique_ptr<JwtKeys>> opened = JwtKeys::Open(options_, &tenants_);
    if (opened.ok()) keys_ = *std::move(opened);
    return opened.status();
  }
  void Write(const std::string& set) { std::ofstream(options_.jwks_file) << set; }
  // What the refusal says; "TENANT ROLE": there is none.
  std::string Ask(const std::string& token, absl::Time now = kTokenTime) const {
    const absl::StatusOr<Principal> who = keys_->Identify(token, now);
    if (!who.ok()) {
      EXPECT_EQ(who.status().code(), absl::StatusCode::kUnauthenticated);
      return std::string(who.status().message());
    }
    return absl::StrCat(who->tenant->name(), " ", NameOf(who->role));
  }

  const Signer rsa_ = Signer::Rsa("r"), ec_ = Signer::Ec("e");
  const TemporaryFolder folder_;
  JwtOptions options_{folder_.Path("keys.json"), "https://id.example", "rondo"};
  Metrics metrics_;
  Tenants tenants_{&metrics_};
  std::unique_ptr<JwtKeys> keys_;
};

TEST_F(JwtKeysTest, ATokenSaysTenantAndRole) {
  ASSERT_EQ(Open(SetOf({rsa_.Jwk(), ec_.Jwk("\"use\":\"sig\",\"alg\":\"ES256\",")})), absl::OkStatus());
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(Ask(rsa_.Sign(Claims())), "acme sessions");
    EXPECT_EQ(Ask(ec_.Sign(Claims("role", "\"admin\""))), "acme admin");
    EXPECT_EQ(Ask(ec_.Sign(Claims("tenant", "\"-\""))), " sessions");
    EXPECT_EQ(Ask(ec_.Sign(Claims("aud", R"(["other","rondo"])"))), "acme sessions");
  }
}

TEST_F(JwtKeysTest, ATokenHoldsForItsTimeAlsoWhenItIsRemembered) {
  ASSERT_EQ(Open(SetOf({ec_.Jwk()})), absl::OkStatus());
  const std::string token = ec_.Sign(Claims("nbf", "1800000000"));
  EXPECT_EQ(Ask(token), "acme sessions");
  EXPECT_EQ(Ask(token, kTokenTime - absl::Seconds(59)), "acme sessions");
  EXPECT_EQ(Ask(token, kTokenTime - absl::Seconds(61)), "the token does not hold yet");
  EXPECT_EQ(Ask(token, kTokenTime + absl::Seconds(60)), "the credentials have expired");
}

TEST_F(JwtKeysTest, WhatDoesNotHoldIsRefusedWithTheReason) {
  ASSERT_EQ(Open(SetOf({rsa_.Jwk(), ec_.Jwk()})), absl::OkStatus());
  const struct {
    std::string claim, value, why;
  } kClaims[] = {{"iss", "\"https://other.example\"", "issuer"},
                 {"iss", "", "issuer"},
                 {"aud", "\"other\"", "audience"},
                 {"aud", "", "audience"},
                 {"aud", "{}", "audience"},
                 {"exp", "", "until when"},
                 {"exp", "\"1900000000\"", "until when"},
                 {"exp", "1e300", "until when"},
                 {"nbf", "[]", "until when"},
                 {"tenant", "", "claim tenant"},
                 {"tenant", "\"a b\"", "claim tenant"},
                 {"tenant", "7", "claim tenant"},
                 {"role", "\"owner\"", "claim role"},
                 {"role", "", "claim role"}};
  for (const auto& claim : kClaims) {
    EXPECT_THAT(Ask(ec_.Sign(Claims(claim.claim, claim.value))), HasSubstr(claim.why)) << claim.claim << claim.value;
  }
}

TEST_F(JwtKeysTest, OnlyASignatureByTheKeyThatIsNamedCounts) {
  ASSERT_EQ(Open(SetOf({rsa_.Jwk(), ec_.Jwk()})), absl::OkStatus());
  const std::string good = ec_.Sign(Claims());
  const std::string none = Base64(R"({"alg":"none","kid":"e"})") + "." + Base64(Claims()) + ".";
  EXPECT_THAT(Ask(none), HasSubstr("another way"));
  EXPECT_THAT(Ask(ec_.SignAs(R"({"alg":"ES256","kid":"r"})", Claims())), HasSubstr("another way"));
  EXPECT_THAT(Ask(ec_.SignAs(R"({"alg":"ES256","kid":"x"})", Claims())), HasSubstr("not known"));
  EXPECT_THAT(Ask(ec_.SignAs(R"({"alg":"ES256"})", Claims())), HasSubstr("not known"));
  EXPECT_THAT(Ask(ec_.SignAs(R"({"alg":"ES256","kid":"e","crit":["b64"]})", Claims())), HasSubstr("crit"));
  EXPECT_THAT(Ask(Signer::Ec("e").Sign(Claims())), HasSubstr("signature is wrong"));
  EXPECT_THAT(Ask(Signer::Rsa("r").Sign(Claims())), HasSubstr("signature is wrong"));
  const size_t claims_at = good.find('.') + 1, signature_at = good.rfind('.') + 1;
  const std::string other =
      good.substr(0, claims_at) + Base64(Claims("role", "\"admin\"")) + good.substr(signature_at - 1);
  EXPECT_THAT(Ask(other), HasSubstr("signature is wrong"));
  EXPECT_THAT(Ask(good.substr(0, good.size() - 8)), HasSubstr("signature is wrong"));
  EXPECT_THAT(Ask(good.substr(0, signature_at)), HasSubstr("signature is wrong"));
}

TEST_F(JwtKeysTest, WhatIsNoTokenIsRefused) {
  ASSERT_EQ(Open(SetOf({ec_.Jwk()})), absl::OkStatus());
  for (const std::string& text : {std::string("a"), std::string("a.b"), std::string("a.b.c"), std::string("..."),
                                  Base64("[]") + "..", "eyJ." + std::string(100, '.'), std::string(1 << 20, 'e')}) {
    EXPECT_THAT(Ask(text), HasSubstr("the token is ")) << text.substr(0, 20);
  }
  const std::string deep = "{\"a\":" + std::string(4000, '[');
  EXPECT_THAT(Ask(Base64(deep) + "." + Base64(deep) + ".c"), HasSubstr("is no JSON Web Token"));
}

TEST_F(JwtKeysTest, TheOnlyKeyNeedsNoName) {
  ASSERT_EQ(Open(SetOf({ec_.Jwk()})), absl::OkStatus());
  EXPECT_EQ(Ask(ec_.SignAs(R"({"alg":"ES256"})", Claims())), "acme sessions");
}

TEST_F(JwtKeysTest, NewKeysAreTakenAndOldOnesSignNoLonger) {
  ASSERT_EQ(Open(SetOf({rsa_.Jwk()})), absl::OkStatus());
  const std::string old_token = rsa_.Sign(Claims());
  EXPECT_EQ(Ask(old_token), "acme sessions");
  testing::internal::CaptureStderr();
  Write("{");
  keys_->Refresh();
  EXPECT_EQ(Ask(old_token), "acme sessions");
  Write(SetOf({ec_.Jwk()}));
  keys_->Refresh();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("event=jwks_file_refused"));
  EXPECT_THAT(log, HasSubstr("event=jwks_file_taken"));
  EXPECT_THAT(Ask(old_token), HasSubstr("not known"));
  EXPECT_EQ(Ask(ec_.Sign(Claims())), "acme sessions");
}

TEST_F(JwtKeysTest, AFileWithoutUsableKeysIsRefused) {
  const std::string ec = ec_.Jwk(), rsa = rsa_.Jwk();
  const std::string flat = ec.substr(0, ec.find("\"y\"")) + "\"y\":\"" + Base64(std::string(32, 'y')) + "\"}";
  const struct {
    std::string set, why;
  } kSets[] = {{"", "no JWK set"},
               {"[]", "no JWK set"},
               {R"({"keys":{}})", "no JWK set"},
               {R"({"keys":[]})", "no key can be used"},
               {R"({"keys":[7,{},{"kty":"oct","k":"AAAA"}]})", "no key can be used"},
               {SetOf({ec_.Jwk("\"use\":\"enc\",")}), "no key can be used"},
               {SetOf({rsa_.Jwk("\"alg\":\"RS512\",")}), "no key can be used"},
               {SetOf({Signer::Rsa("small", 1024).Jwk()}), "\"small\" is no public key"},
               {SetOf({flat}), "\"e\" is no public key"},
               {SetOf({ec, ec}), "two keys"}};
  for (const auto& set : kSets) {
    const absl::Status status = Open(set.set);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(set.why)) << set.set;
    EXPECT_THAT(std::string(status.message()), HasSubstr("--jwks_file="));
  }
  options_.jwks_file += "/missing";
  EXPECT_FALSE(JwtKeys::Open(options_, &tenants_).ok());
}

TEST_F(JwtKeysTest, TheGateTakesThemBesideTheTokensOfItsFile) {
  GateOptions options;
  options.jwt = options_;
  Write(SetOf({ec_.Jwk()}));
  absl::StatusOr<std::unique_ptr<Gate>> gate = Gate::Open(options, &metrics_);
  ASSERT_TRUE(gate.ok()) << gate.status();
  const MethodRule* const predict = RuleOf("rondo.v1.Inference/Predict");
  EXPECT_THAT(std::string((*gate)->Admit(predict, {}, kTokenTime).status().message()), HasSubstr("no credentials"));
  const std::string jwt = "Bearer " + ec_.Sign(Claims()), opaque = "bearer predict";
  Shown by_jwt, by_line;
  by_jwt.authorizations = {jwt};
  by_line.authorizations = {opaque};
  EXPECT_TRUE((*gate)->Admit(predict, by_jwt, kTokenTime).ok());
  EXPECT_FALSE((*gate)->Admit(predict, by_line, kTokenTime).ok());

  options.tokens_file =
      folder_.Write("tokens", "8e9afe9d1df3927e713c246259f2e697abc1daeee11b8f7ed14ee4181f2f474f acme predict\n");
  gate = Gate::Open(options, &metrics_);
  ASSERT_TRUE(gate.ok()) << gate.status();
  const absl::StatusOr<Principal> first = (*gate)->Admit(predict, by_jwt, kTokenTime),
                                  second = (*gate)->Admit(predict, by_line, kTokenTime);
  ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
  EXPECT_EQ(first->tenant, second->tenant);
}

}  // namespace
}  // namespace rondo
