#include "client/server_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
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

bool IsList(absl::string_view address) {
  return absl::StrContains(address, ',') && !absl::StartsWith(address, "ipv4:") &&
         !absl::StartsWith(address, "ipv6:") && !absl::StrContains(address, "//");
}

}  // namespace

absl::StatusOr<std::string> TargetOf(absl::string_view address) {
  const bool has_space = std::any_of(address.begin(), address.end(), [](unsigned char c) { return std::isspace(c); });
  if (address.empty() || has_space) {
    return absl::InvalidArgumentError(absl::StrCat("server address '", address, "' is not HOST:PORT"));
  }
  if (!IsList(address)) return std::string(address);
  const std::vector<absl::string_view> each = absl::StrSplit(address, ',');
  const int family = FamilyOf(each.front());
  for (const absl::string_view one : each) {
    if (FamilyOf(one) == family && family != AF_UNSPEC) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("'", one, "' in the list of servers is not IP:PORT, or not of the first one's family; a single ",
                     "NAME:PORT may stand for several addresses"));
  }
  return absl::StrCat(family == AF_INET ? "ipv4:" : "ipv6:", address);
}

}  // namespace rondo
