#include "client/server_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <set>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

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

// True of an IPv6 address in fe80::/10.
bool IsLinkLocal(const std::string& ip) {
  unsigned char bytes[sizeof(in6_addr)];
  return inet_pton(AF_INET6, ip.c_str(), bytes) == 1 && bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
}

// "https" of https://host:1; empty if the address is no URL of a web server's kind, which gRPC would look up as a name.
absl::string_view SchemeOfUrl(absl::string_view address) {
  for (const absl::string_view scheme : {"http", "https", "grpc", "grpcs", "tcp"}) {
    if (absl::StartsWithIgnoreCase(address, absl::StrCat(scheme, "://"))) return address.substr(0, scheme.size());
  }
  return "";
}

// True of dns:///host:1, unix:/path and the like, which gRPC reads itself.
bool IsTargetOfGrpc(absl::string_view address) {
  constexpr absl::string_view kSchemes[] = {"dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:"};
  return absl::StrContains(address, "://") ||
         absl::c_any_of(kSchemes, [&](absl::string_view scheme) { return absl::StartsWith(address, scheme); });
}

// True of name:8001, 10.0.0.1:8001 and [::1]:8001. gRPC takes 443 for a port that is left out, and 34463 for 99999.
bool IsHostAndPort(absl::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos) return false;
  const absl::string_view host = address.substr(0, colon);
  const absl::string_view port = address.substr(colon + 1);
  uint32_t number = 0;
  return !host.empty() && (host.front() == '[' || !absl::StrContains(host, ':')) && port.size() <= 5 &&
         absl::c_all_of(port, absl::ascii_isdigit) && absl::SimpleAtoi(port, &number) && number > 0 && number <= 65535;
}

absl::Status NotHostAndPort(absl::string_view address) {
  return absl::InvalidArgumentError(
      absl::StrCat("server address '", address, "' is not HOST:PORT with a port of 1 to 65535"));
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

// Each of the addresses first in its turn. REQUIRES: they are of this family, and there is one.
std::vector<ServerTarget> InTurn(std::vector<absl::string_view> addresses, int family) {
  std::vector<ServerTarget> servers;
  for (size_t i = 0; i < addresses.size(); ++i) {
    servers.push_back({std::string(addresses.front()),
                       absl::StrCat(family == AF_INET ? "ipv4:" : "ipv6:", absl::StrJoin(addresses, ",")), ""});
    std::rotate(addresses.begin(), addresses.begin() + 1, addresses.end());
  }
  return servers;
}

bool IsList(absl::string_view address) {
  return absl::StrContains(address, ',') && !absl::StartsWith(address, "ipv4:") &&
         !absl::StartsWith(address, "ipv6:") && !absl::StrContains(address, "//");
}

}  // namespace

absl::StatusOr<std::vector<ServerTarget>> TargetsOf(absl::string_view address) {
  const bool has_space = std::any_of(address.begin(), address.end(), [](unsigned char c) { return std::isspace(c); });
  if (address.empty() || has_space) return NotHostAndPort(address);
  const absl::string_view scheme = SchemeOfUrl(address);
  if (!scheme.empty()) {
    const absl::string_view host = *absl::StrSplit(address.substr(scheme.size() + 3), '/').begin();
    const bool encrypted = absl::EndsWithIgnoreCase(scheme, "s");
    return absl::InvalidArgumentError(
        absl::StrCat("server address '", address, "' is a URL: wanted HOST:PORT, here ", host,
                     encrypted ? ", and TLS as an option of its own (--tls on a command line)" : ""));
  }
  if (!IsList(address)) {
    if (!IsTargetOfGrpc(address) && !IsHostAndPort(address)) return NotHostAndPort(address);
    return std::vector<ServerTarget>{{std::string(address), std::string(address), ""}};
  }
  const std::vector<absl::string_view> each = absl::StrSplit(address, ',');
  const int family = FamilyOf(each.front());
  for (const absl::string_view one : each) {
    if (FamilyOf(one) == family && family != AF_UNSPEC && IsHostAndPort(one)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", one, "' in the list of servers is not IP:PORT, or not of the first one's family; a single ",
                     "NAME:PORT may stand for several addresses"));
  }
  return InTurn(each, family);
}

std::optional<ServerName> NameIn(absl::string_view address) {
  absl::ConsumePrefix(&address, "dns:///");
  if (!IsHostAndPort(address)) return std::nullopt;
  const size_t colon = address.rfind(':');
  const absl::string_view host = address.substr(0, colon);
  const absl::string_view port = address.substr(colon + 1);
  const auto in_name = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; };
  const bool is_name = std::all_of(host.begin(), host.end(), in_name);
  if (!is_name || FamilyOf(address) != AF_UNSPEC || absl::EqualsIgnoreCase(host, "localhost")) return std::nullopt;
  return ServerName{std::string(host), std::string(port)};
}

std::vector<std::string> ServersAt(absl::Span<const std::string> ip_addresses, absl::string_view port) {
  std::set<std::string> v4;
  std::set<std::string> v6;
  for (const std::string& ip : ip_addresses) {
    const std::string plain = absl::StrCat(ip, ":", port);
    const std::string bracketed = absl::StrCat("[", ip, "]:", port);
    if (FamilyOf(plain) == AF_INET) v4.insert(plain);
    if (FamilyOf(bracketed) == AF_INET6 && !IsLinkLocal(ip)) v6.insert(bracketed);
  }
  const std::set<std::string>& servers = v4.empty() ? v6 : v4;
  if (servers.size() < 2) return {};
  return {servers.begin(), servers.end()};
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
