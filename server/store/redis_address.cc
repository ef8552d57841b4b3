#include "server/store/redis_address.h"

#include <cstdint>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rondo {
namespace {

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("the session store's address has ", what,
                   "; wanted redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?replicas=N], rediss://...[?ca=FILE&",
                   "password_file=FILE] or redis+sentinel://[...@]HOST[:PORT],.../NAME[/DB]"));
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

constexpr int kMostReplicas = 100;

// Gives the text of a word behind the "?" that names a file; null: no such word belongs here.
std::string* FileOf(absl::string_view word, RedisAddress* address) {
  if (word == "password_file") return &address->password_file;
  if (word == "ca" && address->tls) return &address->ca_file;
  if (word == "sentinel_password_file" && !address->sentinels.empty()) return &address->sentinel_password_file;
  return nullptr;
}

absl::Status ParseWords(absl::string_view text, RedisAddress* address) {
  for (const absl::string_view part : absl::StrSplit(text, '&')) {
    const std::pair<absl::string_view, absl::string_view> words = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (words.first == "replicas") {
      if (ParseNumber(words.second, kMostReplicas, &address->replicas) && !words.second.empty()) continue;
      return Malformed(absl::StrCat("a number of replicas that is not 0..", kMostReplicas));
    }
    std::string* const file = FileOf(words.first, address);
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

// `found` has the port that the text may leave out.
absl::Status ParseHost(absl::string_view text, RedisHost* found) {
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
  found->host = std::string(host);
  if (text.empty()) return absl::OkStatus();
  const bool port = absl::ConsumePrefix(&text, ":") && ParseNumber(text, 65535, &found->port) && found->port > 0;
  return port ? absl::OkStatus() : Malformed("a port that is not 1..65535");
}

absl::Status ParseDatabase(absl::string_view text, RedisAddress* address) {
  if (text.empty() || ParseNumber(text, 1'000'000, &address->database)) return absl::OkStatus();
  return Malformed("a database that is no number");
}

// HOST[:PORT][/DB]
absl::Status ParsePlace(absl::string_view text, RedisAddress* address) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits('/', 1));
  if (absl::Status database = ParseDatabase(parts.second, address); !database.ok()) return database;
  RedisHost found{"", address->port};
  if (absl::Status host = ParseHost(parts.first, &found); !host.ok()) return host;
  address->host = std::move(found.host);
  address->port = found.port;
  return absl::OkStatus();
}

// HOST[:PORT][,HOST[:PORT]...]/NAME[/DB]
absl::Status ParseSentinels(absl::string_view text, RedisAddress* address) {
  constexpr int kSentinelPort = 26379;
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  if (parts.size() < 2 || parts[1].empty()) return Malformed("no name of the primary behind its sentinels");
  if (parts.size() > 3) return Malformed("more than a database behind the primary's name");
  const auto in_name = [](char c) { return absl::ascii_isalnum(c) || absl::StrContains(".-_", c); };
  if (!absl::c_all_of(parts[1], in_name)) return Malformed("a primary whose name Redis does not take");
  address->primary_name = std::string(parts[1]);
  for (const absl::string_view each : absl::StrSplit(parts[0], ',')) {
    address->sentinels.push_back({"", kSentinelPort});
    if (absl::Status host = ParseHost(each, &address->sentinels.back()); !host.ok()) return host;
  }
  return parts.size() == 3 ? ParseDatabase(parts[2], address) : absl::OkStatus();
}

std::string ShownHost(const std::string& host, int port) {
  const bool is_v6 = absl::StrContains(host, ':');
  return absl::StrCat(is_v6 ? "[" : "", host, is_v6 ? "]" : "", ":", port);
}

}  // namespace

std::string RedisAddress::Shown() const {
  const absl::string_view scheme = tls ? "rediss" : "redis";
  if (sentinels.empty()) return absl::StrCat(scheme, "://", ShownHost(host, port), "/", database);
  const auto append = [](std::string* out, const RedisHost& each) {
    absl::StrAppend(out, ShownHost(each.host, each.port));
  };
  return absl::StrCat(scheme, "+sentinel://", absl::StrJoin(sentinels, ",", append), "/", primary_name, "/", database);
}

absl::StatusOr<RedisAddress> ParseRedisAddress(absl::string_view text, absl::string_view password) {
  RedisAddress address;
  const size_t scheme_end = text.find("://");
  absl::string_view scheme = text.substr(0, scheme_end);
  const bool has_sentinels = absl::ConsumeSuffix(&scheme, "+sentinel");
  address.tls = scheme == "rediss";
  if (scheme_end == absl::string_view::npos || (!address.tls && scheme != "redis")) return Malformed("no redis://");
  text.remove_prefix(scheme_end + 3);
  absl::string_view words;
  if (const size_t question = text.rfind('?'); question != absl::string_view::npos) {
    words = text.substr(question);
    text = text.substr(0, question);
  }
  if (const size_t at = text.rfind('@'); at != absl::string_view::npos) {
    if (absl::Status login = ParseLogin(text.substr(0, at), &address); !login.ok()) return login;
    text.remove_prefix(at + 1);
  }
  absl::Status status = has_sentinels ? ParseSentinels(text, &address) : ParsePlace(text, &address);
  if (status.ok() && absl::ConsumePrefix(&words, "?")) status = ParseWords(words, &address);
  if (status.ok()) status = CheckPassword(password, &address);
  if (!status.ok()) return status;
  return address;
}

}  // namespace rondo
