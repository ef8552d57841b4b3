#include "server/session/session_places.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

// Says when a place is likely, if a session may end because it is idle. One may be deleted before, so the advice is to
// try again within a minute.
absl::Status SessionsFull(size_t live, int64_t soonest_expiry_ns, absl::Time now) {
  const std::string text = absl::StrCat("the server holds ", live, " sessions, the most it may");
  if (soonest_expiry_ns == LiveSession::kForever) return Refuse(Why::kSessionsFull, text);
  const absl::Duration wait = std::max(absl::Seconds(1), absl::FromUnixNanos(soonest_expiry_ns) - now);
  return RefuseFor(std::min(wait, absl::Minutes(1)), Why::kSessionsFull,
                   absl::StrCat(text, "; the next idle one ends in ", absl::ToInt64Seconds(wait), " s if it stays so"));
}

}  // namespace

absl::Status SessionPlaces::TakeOfServer(absl::string_view name, absl::Time now) {
  size_t taken = taken_.load(std::memory_order_relaxed);
  do {
    if (taken >= options_.max_sessions) {
      CountForTenant(name, -1).IgnoreError();
      return SessionsFull(taken, soonest_expiry_ns_.load(std::memory_order_relaxed), now);
    }
  } while (!taken_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed));
  return absl::OkStatus();
}

void SessionPlaces::GiveBack(absl::string_view name) {
  taken_.fetch_sub(1, std::memory_order_relaxed);
  CountForTenant(name, -1).IgnoreError();
}

absl::Status SessionPlaces::CountForTenant(absl::string_view name, int change) const {
  const absl::string_view tenant = TenantIn(name);
  return tenant.empty() || options_.count == nullptr ? absl::OkStatus() : options_.count(tenant, change);
}

}  // namespace rondo
