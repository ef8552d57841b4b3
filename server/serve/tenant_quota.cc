#include "server/serve/tenant_quota.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

constexpr double kNanoseconds = 1e9;  // a second's

}  // namespace

bool RateLimit::Take(double amount, absl::Time now) {
  const double per_second = per_second_.load(std::memory_order_relaxed);
  if (per_second <= 0) return true;
  const int64_t now_ns = absl::ToUnixNanos(now);
  const auto cost_ns = static_cast<int64_t>(std::min(amount / per_second, 1e6) * kNanoseconds);
  int64_t paid_until_ns = paid_until_ns_.load(std::memory_order_relaxed);
  do {
    if (paid_until_ns > now_ns + static_cast<int64_t>(kNanoseconds)) return false;
  } while (!paid_until_ns_.compare_exchange_weak(paid_until_ns, std::max(paid_until_ns, now_ns) + cost_ns,
                                                 std::memory_order_relaxed));
  return true;
}

void TenantQuota::SetLimits(const TenantLimits& limits) {
  max_sessions_.store(limits.sessions, std::memory_order_relaxed);
  max_streams_.store(limits.streams, std::memory_order_relaxed);
  steps_.SetRate(limits.steps_per_second);
  bytes_.SetRate(limits.bytes_per_second);
}

absl::Status TenantQuota::TakeOne(const char* what, const std::atomic<double>& most, std::atomic<int64_t>* count) {
  const double limit = most.load(std::memory_order_relaxed);
  const int64_t taken = count->fetch_add(1, std::memory_order_relaxed);
  if (limit <= 0 || static_cast<double>(taken) < limit) return absl::OkStatus();
  count->fetch_sub(1, std::memory_order_relaxed);
  return Refuse(Why::kTenantQuota, absl::StrCat("the tenant has ", taken, " ", what, ", the most it may"));
}

absl::Status TenantQuota::TakeWork(const Work& work) {
  const absl::Time now = SteadyNow();
  if (!steps_.Take(static_cast<double>(work.steps), now)) {
    return Refuse(Why::kTenantQuota, "the tenant's requests take more steps a second than it may");
  }
  if (!bytes_.Take(static_cast<double>(work.bytes), now)) {
    return Refuse(Why::kTenantQuota, "the tenant's requests take more bytes a second than it may");
  }
  return absl::OkStatus();
}

}  // namespace rondo
