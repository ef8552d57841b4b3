#include "client/server_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace rondo {
namespace {

// AF_INET of 10.0.0.1:8001, AF_INET6 of [::1]:8001; AF_UNSPEC of anything else.
int FamilyOf(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || colon + 1 == address.size()) return AF_UNSPEC;
  std::string host(address.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  unsigned char bytes[sizeof(in6_addr)];
  const int family = bracketed ? AF_INET6 : AF_INET;
  return inet_pton(family, host.c_str(), bytes) == 1 ? family : AF_UNSPEC;
}

// "https" of https://host:1; empty if the address is no URL of a web server's kind, which gRPC would look up as a name.
absl::string_view SchemeOfUrl(absl::string_view address) {
  for (const absl::string_view scheme : {"http", "https", "grpc", "grpcs", "tcp"}) {
    if (absl::StartsWithIgnoreCase(address, absl::StrCat(scheme, "://"))) return address.substr(0, scheme.size());
  }
  return "";
}

// FNV-1a.
uint64_t Hash(absl::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001B3;
  return hash;
}

// The finalizer of MurmurHash3: each bit depends on all.
uint64_t Mixed(uint64_t hash) {
  hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
  hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
  return hash ^ hash >> 33;
}

bool IsList(absl::string_view address) {
  return absl::StrContains(address, ',') && !absl::StartsWith(address, "ipv4:") &&
         !absl::StartsWith(address, "ipv6:") && !absl::StrContains(address, "//");
}

}  // namespace

absl::StatusOr<std::vector<ServerTarget>> TargetsOf(absl::string_view address) {
  const bool has_space = std::any_of(address.begin(), address.end(), [](unsigned char c) { return std::isspace(c); });
  if (address.empty() || has_space) {
    return absl::InvalidArgumentError(absl::StrCat("server address '", address, "' is not HOST:PORT"));
  }
  const absl::string_view scheme = SchemeOfUrl(address);
  if (!scheme.empty()) {
    const absl::string_view host = *absl::StrSplit(address.substr(scheme.size() + 3), '/').begin();
    const bool encrypted = absl::EndsWithIgnoreCase(scheme, "s");
    return absl::InvalidArgumentError(
        absl::StrCat("server address '", address, "' is a URL: wanted HOST:PORT, here ", host,
                     encrypted ? ", and TLS as an option of its own (--tls on a command line)" : ""));
  }
  if (!IsList(address)) return std::vector<ServerTarget>{{std::string(address), std::string(address)}};
  const std::vector<absl::string_view> each = absl::StrSplit(address, ',');
  const int family = FamilyOf(each.front());
  for (const absl::string_view one : each) {
    if (FamilyOf(one) == family && family != AF_UNSPEC) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", one, "' in the list of servers is not IP:PORT, or not of the first one's family; a single ",
                     "NAME:PORT may stand for several addresses"));
  }
  std::vector<ServerTarget> servers;
  std::vector<absl::string_view> turned = each;
  for (const absl::string_view first : each) {
    servers.push_back(
        {std::string(first), absl::StrCat(family == AF_INET ? "ipv4:" : "ipv6:", absl::StrJoin(turned, ","))});
    std::rotate(turned.begin(), turned.begin() + 1, turned.end());
  }
  return servers;
}

size_t HomeOf(absl::string_view session_id, absl::Span<const ServerTarget> servers) {
  const uint64_t hash = Hash(session_id);
  size_t best = 0;
  uint64_t best_score = 0;
  for (size_t i = 0; i < servers.size(); ++i) {
    const uint64_t score = Mixed(hash ^ Hash(servers[i].first));
    if (i > 0 && score <= best_score) continue;
    best = i;
    best_score = score;
  }
  return best;
}

}  // namespace rondo
