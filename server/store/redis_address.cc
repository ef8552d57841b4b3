#include "server/store/redis_address.h"

#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace rondo {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the session store's address has ", what, "; wanted redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]"));
}

// Takes decimal digits only, and a number of at most `max`.
bool ParseNumber(absl::string_view text, int max, int* number) {
  return absl::c_all_of(text, absl::ascii_isdigit) && absl::SimpleAtoi(text, number) && *number <= max;
}

bool Unescape(absl::string_view text, std::string* bytes) {
  bytes->clear();
  while (!text.empty()) {
    if (text[0] != '%') {
      bytes->push_back(text[0]);
      text.remove_prefix(1);
      continue;
    }
    uint32_t byte = 0;
    if (text.size() < 3 || !absl::ascii_isxdigit(text[1]) || !absl::ascii_isxdigit(text[2])) return false;
    if (!absl::SimpleHexAtoi(text.substr(1, 2), &byte)) return false;
    bytes->push_back(static_cast<char>(byte));
    text.remove_prefix(3);
  }
  return true;
}

absl::Status ParseLogin(absl::string_view login, RedisAddress* address) {
  const size_t colon = login.find(':');
  if (colon == absl::string_view::npos) return Malformed("a user without a password");
  if (!Unescape(login.substr(0, colon), &address->user) || !Unescape(login.substr(colon + 1), &address->password)) {
    return Malformed("a % that is not followed by two hex digits");
  }
  return address->password.empty() ? Malformed("an empty password") : absl::OkStatus();
}

absl::Status ParseHost(absl::string_view text, RedisAddress* address) {
  absl::string_view host = text.substr(0, text.find(':'));
  if (absl::ConsumePrefix(&text, "[")) {
    host = text.substr(0, text.find(']'));
    if (host.size() == text.size()) return Malformed("[ without ]");
    text.remove_prefix(1);
  }
  text.remove_prefix(host.size());
  const bool plain =
      absl::c_all_of(host, [](char c) { return absl::ascii_isalnum(c) || absl::StrContains(".-_:", c); });
  if (host.empty() || !plain) return Malformed("no host name");
  address->host = std::string(host);
  if (text.empty()) return absl::OkStatus();
  const bool port = absl::ConsumePrefix(&text, ":") && ParseNumber(text, 65535, &address->port) && address->port > 0;
  return port ? absl::OkStatus() : Malformed("a port that is not 1..65535");
}

}  // namespace

std::string RedisAddress::Shown() const {
  const bool is_v6 = absl::StrContains(host, ':');
  return absl::StrCat("redis://", is_v6 ? "[" : "", host, is_v6 ? "]" : "", ":", port, "/", database);
}

absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text) {
  RedisAddress address;
  if (!absl::ConsumePrefix(&text, "redis://")) return Malformed("no redis://");
  if (const size_t at = text.rfind('@'); at != absl::string_view::npos) {
    if (absl::Status login = ParseLogin(text.substr(0, at), &address); !login.ok()) return login;
    text.remove_prefix(at + 1);
  }
  if (const size_t slash = text.find('/'); slash != absl::string_view::npos) {
    const absl::string_view database = text.substr(slash + 1);
    if (!database.empty() && !ParseNumber(database, 1'000'000, &address.database)) {
      return Malformed("a database that is no number");
    }
    text = text.substr(0, slash);
  }
  if (absl::Status host = ParseHost(text, &address); !host.ok()) return host;
  return address;
}

}  // namespace rondo
