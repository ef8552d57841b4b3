#include "server/access/jwt_keys.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"
#include "nlohmann/json.hpp"
#include "server/access/json_text_member.h"
#include "server/access/method_rules.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxTokenBytes = 16 << 10;
constexpr absl::Duration kClockError = absl::Minutes(1);  // of who makes tokens

absl::Status Unknown(absl::string_view why) { return Refuse(Why::kUnauthenticated, absl::StrCat("the token ", why)); }

// An object in base64url; a discarded value: there is none.
Json ObjectIn(absl::string_view part) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(part, &text)) return Json(Json::value_t::discarded);
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

// Seconds since the epoch. False: the claim is there and is no time.
bool TimeOf(const Json& claims, const char* name, absl::Time* time) {
  const auto found = claims.find(name);
  if (found == claims.end()) return true;
  if (!found->is_number() || !(std::fabs(found->get<double>()) < 1e12)) return false;
  *time = absl::UnixEpoch() + absl::Seconds(found->get<double>());
  return true;
}

bool IsFor(const Json& claims, const std::string& audience) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  return *found == audience || (found->is_array() && absl::c_linear_search(*found, Json(audience)));
}

}  // namespace

JwtKeys::JwtKeys(const JwtOptions& options, Tenants* tenants)
    : options_(options), tenants_(tenants), file_("jwks_file", options.jwks_file, kMaxFileBytes) {}

absl::StatusOr<std::unique_ptr<JwtKeys>> JwtKeys::Open(const JwtOptions& options, Tenants* tenants) {
  std::unique_ptr<JwtKeys> keys(new JwtKeys(options, tenants));
  const absl::StatusOr<std::string> text = keys->file_.Read();
  const absl::Status loaded = text.ok() ? keys->Load(*text) : text.status();
  if (!loaded.ok()) return loaded;
  return keys;
}

bool JwtKeys::Looks(absl::string_view token) {
  return absl::StartsWith(token, "eyJ") && absl::c_count(token, '.') == 2;
}

absl::Status JwtKeys::Load(const std::string& text) {
  absl::StatusOr<SigningKeys> keys = SigningKeys::Parse(text);
  if (!keys.ok()) return Invalid(file_.name(), ": ", keys.status().message());
  MutexLock lock(&mutex_);
  keys_ = std::make_shared<const SigningKeys>(*std::move(keys));
  remembered_.clear();  // a key that is gone signs no longer
  return absl::OkStatus();
}

void JwtKeys::Refresh() {
  file_.Follow([this](const std::string& text) { return Load(text); });
}

absl::StatusOr<Principal> JwtKeys::Identify(absl::string_view token, absl::Time now) const {
  std::shared_ptr<const SigningKeys> keys;
  std::optional<Claims> claims;
  {
    MutexLock lock(&mutex_);
    keys = keys_;
    const auto found = remembered_.find(token);
    if (found != remembered_.end()) claims = found->second;
  }
  if (!claims) {
    absl::StatusOr<Claims> read = Read(token, *keys);
    if (!read.ok()) return read.status();
    claims = *read;
    MutexLock lock(&mutex_);
    if (remembered_.size() >= kMaxRemembered) remembered_.clear();
    if (keys == keys_) remembered_.emplace(std::string(token), *claims);
  }
  if (now >= claims->until) return Refuse(Why::kUnauthenticated, "the credentials have expired");
  if (now < claims->from - kClockError) return Unknown("does not hold yet");
  return claims->principal;
}

absl::StatusOr<JwtKeys::Claims> JwtKeys::Read(absl::string_view token, const SigningKeys& keys) const {
  if (token.size() > kMaxTokenBytes) return Unknown(absl::StrCat("is longer than ", kMaxTokenBytes, " bytes"));
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  const Json header = parts.size() == 3 ? ObjectIn(parts[0]) : Json(Json::value_t::discarded);
  std::string signature;
  if (!header.is_object() || !absl::WebSafeBase64Unescape(parts[2], &signature)) {
    return Unknown("is no JSON Web Token");
  }
  if (header.contains("crit")) return Unknown("wants to be understood in a way (\"crit\") that is not known here");
  const absl::string_view text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  absl::Status status = keys.Check(TextMember(header, "alg"), TextMember(header, "kid"), text, signature);
  if (!status.ok()) return status;
  return ReadClaims(parts[1]);
}

absl::StatusOr<JwtKeys::Claims> JwtKeys::ReadClaims(absl::string_view part) const {
  const Json json = ObjectIn(part);
  if (!json.is_object()) return Unknown("has no claims");
  if (TextMember(json, "iss") != options_.issuer) return Unknown("is of another issuer (the claim iss)");
  if (!IsFor(json, options_.audience)) return Unknown("is for another audience (the claim aud)");
  Claims claims;
  claims.until = absl::InfinitePast();
  if (!json.contains("exp") || !TimeOf(json, "exp", &claims.until) || !TimeOf(json, "nbf", &claims.from)) {
    return Unknown("does not say in numbers until when it holds (the claims exp and nbf)");
  }
  const absl::StatusOr<std::string> tenant = ParseTenant(TextMember(json, "tenant"));
  if (!tenant.ok()) return Unknown(absl::StrCat("has a claim tenant of ", tenant.status().message()));
  const absl::StatusOr<Role> role = ParseRole(TextMember(json, "role"));
  if (!role.ok()) return Unknown(absl::StrCat("has a claim role of ", role.status().message()));
  claims.principal = {tenants_->Named(*tenant), *role};
  return claims;
}

}  // namespace rondo
