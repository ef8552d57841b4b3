#include "server/store/redis_address.h"

#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rondo {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the session store's address has ", what,
                   "; wanted redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or rediss://...[?ca=FILE&password_file=FILE]"));
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
  const bool has_password = colon != absl::string_view::npos;
  if (!Unescape(login.substr(0, colon), &address->user) ||
      (has_password && !Unescape(login.substr(colon + 1), &address->password))) {
    return Malformed("a % that is not followed by two hex digits");
  }
  return has_password && address->password.empty() ? Malformed("an empty password") : absl::OkStatus();
}

absl::Status ParseFiles(absl::string_view text, RedisAddress* address) {
  for (const absl::string_view part : absl::StrSplit(text, '&')) {
    const std::pair<absl::string_view, absl::string_view> words = absl::StrSplit(part, absl::MaxSplits('=', 1));
    std::string* const file = words.first == "password_file"        ? &address->password_file
                              : words.first == "ca" && address->tls ? &address->ca_file
                                                                    : nullptr;
    if (file == nullptr || words.second.empty() || !file->empty()) return Malformed("an unknown word after its ?");
    if (!Unescape(words.second, file)) return Malformed("a % that is not followed by two hex digits");
  }
  return absl::OkStatus();
}

// There is one password at most, and no user without one.
absl::Status CheckPassword(absl::string_view password, RedisAddress* address) {
  const bool has_file = !address->password_file.empty();
  if (!address->password.empty() && has_file) return Malformed("a password, and a file for it");
  if (address->password.empty() && !has_file) address->password = std::string(password);
  const bool lacks = !address->user.empty() && address->password.empty() && !has_file;
  return lacks ? Malformed("a user without a password") : absl::OkStatus();
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
  return absl::StrCat(tls ? "rediss://" : "redis://", is_v6 ? "[" : "", host, is_v6 ? "]" : "", ":", port, "/",
                      database);
}

absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text, absl::string_view password) {
  RedisAddress address;
  address.tls = absl::ConsumePrefix(&text, "rediss://");
  if (!address.tls && !absl::ConsumePrefix(&text, "redis://")) return Malformed("no redis://");
  if (const size_t question = text.rfind('?'); question != absl::string_view::npos) {
    if (absl::Status files = ParseFiles(text.substr(question + 1), &address); !files.ok()) return files;
    text = text.substr(0, question);
  }
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
  if (absl::Status checked = CheckPassword(password, &address); !checked.ok()) return checked;
  return address;
}

}  // namespace rondo
