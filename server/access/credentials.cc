#include "server/access/credentials.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "base/annotate.h"
#include "base/invalid.h"
#include "base/time_text.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

constexpr absl::string_view kCertificate = "cert:";
constexpr size_t kDigestBytes = 32;

std::string DigestOf(absl::string_view token) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(token.data(), token.size(), digest.data(), &size, sha256, nullptr);
  return std::string(reinterpret_cast<const char*>(digest.data()), size);
}

absl::Status Unwanted(absl::string_view came, absl::string_view wanted) {
  return Invalid("\"", absl::CHexEscape(came), "\": wanted ", wanted);
}

// The key of an entry by the first word of its line.
absl::StatusOr<std::string> KeyOf(absl::string_view word) {
  if (absl::StartsWith(word, kCertificate) && word.size() > kCertificate.size()) return std::string(word);
  if (word.size() != 2 * kDigestBytes || !absl::c_all_of(word, absl::ascii_isxdigit)) {
    return Unwanted(word, "the SHA-256 of a token as 64 hex digits, or cert:NAME");
  }
  return absl::HexStringToBytes(word);
}

bool ParseWord(absl::string_view text, std::string* word) {
  const absl::StatusOr<std::string> read = ParseTenant(text);
  if (!read.ok() || read->empty()) return false;
  *word = *read;
  return true;
}

bool ParseAmount(absl::string_view text, double* amount) {
  return absl::SimpleAtod(text, amount) && *amount > 0 && *amount <= 1e15;
}

// KIND=VALUE of a line of limits.
absl::Status ParseTerm(absl::string_view word, TenantTerms* terms) {
  TenantLimits& limits = terms->limits;
  const std::pair<absl::string_view, double*> amounts[] = {{"sessions", &limits.sessions},
                                                           {"streams", &limits.streams},
                                                           {"connections", &limits.connections},
                                                           {"steps_per_second", &limits.steps_per_second},
                                                           {"bytes_per_second", &limits.bytes_per_second}};
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(word, absl::MaxSplits('=', 1));
  const std::string value(parts.second);
  const auto* const amount = absl::c_find_if(amounts, [&](const auto& known) { return known.first == parts.first; });
  const bool is_good =
      parts.first == "class" ? ParseWord(value, &terms->tenant_class)
      : parts.first == "session_lifetime"
          ? absl::ParseDuration(value, &limits.session_lifetime) && limits.session_lifetime >= absl::Seconds(1)
          : amount != std::end(amounts) && ParseAmount(value, amount->second);
  if (is_good) return absl::OkStatus();
  return Unwanted(word,
                  "sessions, streams, connections, steps_per_second or bytes_per_second, = and a number above 0; "
                  "session_lifetime= and a time of 1s or more, like 12h; or class= and a word");
}

// Words of a line: "limit", a tenant, and what it may take.
absl::Status ParseLimits(absl::Span<const absl::string_view> words, TermsByTenant* terms) {
  absl::StatusOr<std::string> tenant = std::string("*");
  if (words.size() > 1 && words[1] != "*") tenant = ParseTenant(words[1]);
  if (!tenant.ok()) return tenant.status();
  if (words.size() < 3) return Unwanted(words[0], "limit TENANT KIND=VALUE...");
  TenantTerms read;
  for (const absl::string_view word : words.subspan(2)) {
    if (absl::Status status = ParseTerm(word, &read); !status.ok()) return status;
  }
  if (terms->emplace(*std::move(tenant), std::move(read)).second) return absl::OkStatus();
  return Unwanted(words[1], "one line of limits a tenant");
}

}  // namespace

absl::Status Credentials::ParseLine(absl::string_view line, Lines* lines) const {
  line = line.substr(0, line.find('#'));
  const std::vector<absl::string_view> words = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
  if (words.empty()) return absl::OkStatus();
  if (words[0] == "limit") return ParseLimits(words, &lines->terms);
  if (words.size() < 3 || words.size() > 4) return Unwanted(line, "TOKEN_SHA256 or cert:NAME, TENANT, ROLE [UNTIL]");
  absl::StatusOr<std::string> key = KeyOf(words[0]);
  if (!key.ok()) return key.status();
  const absl::StatusOr<std::string> tenant = ParseTenant(words[1]);
  if (!tenant.ok()) return tenant.status();
  const absl::StatusOr<Role> role = ParseRole(words[2]);
  if (!role.ok()) return role.status();
  Entry entry;
  entry.principal = {tenants_->Named(*tenant), *role};
  if (words.size() == 4) {
    const absl::StatusOr<TextTime> until = ParseTimeText(words[3]);
    if (!until.ok()) return until.status();
    entry.until = absl::FromUnixSeconds(until->unix_seconds);
  }
  if (lines->entries.emplace(*std::move(key), entry).second) return absl::OkStatus();
  return Unwanted(words[0], "each token and certificate once");
}

absl::StatusOr<Credentials::Lines> Credentials::Parse(absl::string_view text) const {
  Lines lines;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::Status status = ParseLine(line, &lines);
    if (status.ok()) continue;
    return Annotate(status, absl::StrCat(file_.name(), " line ", number));
  }
  return lines;
}

absl::Status Credentials::Load(const std::string& text) {
  absl::StatusOr<Lines> lines = Parse(text);
  if (!lines.ok()) return lines.status();
  if (absl::Status taken = tenants_->SetTerms(std::move(lines->terms)); !taken.ok()) {
    return Annotate(taken, file_.name());
  }
  auto made = std::make_shared<const Entries>(std::move(lines->entries));
  MutexLock lock(&mutex_);
  entries_ = std::move(made);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Credentials>> Credentials::Open(const std::string& file, Tenants* tenants) {
  std::unique_ptr<Credentials> credentials(new Credentials(file, tenants));
  const absl::StatusOr<std::string> text = credentials->file_.Read();
  if (!text.ok()) return text.status();
  if (absl::Status loaded = credentials->Load(*text); !loaded.ok()) return loaded;
  return credentials;
}

void Credentials::Refresh() {
  file_.Follow([this](const std::string& text) { return Load(text); });
}

absl::StatusOr<absl::string_view> BearerToken(const Shown& shown) {
  constexpr absl::string_view kBearer = "Bearer ";
  if (shown.authorizations.empty()) return absl::string_view();
  if (shown.authorizations.size() > 1) return Refuse(Why::kUnauthenticated, "more than one authorization; wanted one");
  const absl::string_view token = shown.authorizations[0];
  if (token.size() > kBearer.size() && absl::StartsWithIgnoreCase(token, kBearer)) return token.substr(kBearer.size());
  return Refuse(Why::kUnauthenticated, "the authorization is of another kind; wanted Bearer TOKEN");
}

absl::StatusOr<Principal> Credentials::Identify(const Shown& shown, absl::Time now) const {
  std::shared_ptr<const Entries> entries;
  {
    MutexLock lock(&mutex_);
    entries = entries_;
  }
  const absl::StatusOr<absl::string_view> token = BearerToken(shown);
  if (!token.ok()) return token.status();
  auto found = entries->end();
  if (!token->empty()) {
    found = entries->find(DigestOf(*token));
    if (found == entries->end()) return Refuse(Why::kUnauthenticated, "the token is not known");
  }
  for (size_t i = 0; found == entries->end() && i < shown.certificate_names.size(); ++i) {
    found = entries->find(absl::StrCat(kCertificate, shown.certificate_names[i]));
  }
  if (found == entries->end()) {
    return Refuse(Why::kUnauthenticated, shown.certificate_names.empty()
                                             ? "no credentials; wanted the metadata authorization: Bearer TOKEN"
                                             : "no token, and the certificate is not known");
  }
  if (now >= found->second.until) return Refuse(Why::kUnauthenticated, "the credentials have expired");
  return found->second.principal;
}

}  // namespace rondo
