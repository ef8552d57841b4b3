#include "server/serve/tenant_quota.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/steady_time.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

constexpr double kNanoseconds = 1e9;  // a second's
constexpr auto kSecond = static_cast<int64_t>(kNanoseconds);
constexpr int64_t kMostOwed = 3600 * kSecond;

}  // namespace

int64_t RateLimit::CostOf(double amount) const {
  const double per_second = per_second_.load(std::memory_order_relaxed);
  return per_second <= 0 ? 0 : static_cast<int64_t>(std::min(amount / per_second, 1e6) * kNanoseconds);
}

bool RateLimit::HasRoom(absl::Time now) const {
  return per_second_.load(std::memory_order_relaxed) <= 0 ||
         paid_until_ns_.load(std::memory_order_relaxed) <= absl::ToUnixNanos(now) + kSecond;
}

void RateLimit::Owe(double amount, absl::Time now) {
  const int64_t now_ns = absl::ToUnixNanos(now);
  const int64_t cost_ns = std::min(CostOf(amount), kMostOwed);
  int64_t paid_until_ns = paid_until_ns_.load(std::memory_order_relaxed);
  int64_t owed_until_ns = 0;
  do {
    owed_until_ns = std::max(paid_until_ns, std::min(std::max(paid_until_ns, now_ns) + cost_ns, now_ns + kMostOwed));
  } while (!paid_until_ns_.compare_exchange_weak(paid_until_ns, owed_until_ns, std::memory_order_relaxed));
}

bool RateLimit::Take(double amount, absl::Time now) {
  if (per_second_.load(std::memory_order_relaxed) <= 0) return true;
  const int64_t now_ns = absl::ToUnixNanos(now);
  const int64_t cost_ns = CostOf(amount);
  int64_t paid_until_ns = paid_until_ns_.load(std::memory_order_relaxed);
  do {
    if (paid_until_ns > now_ns + kSecond) return false;
  } while (!paid_until_ns_.compare_exchange_weak(paid_until_ns, std::max(paid_until_ns, now_ns) + cost_ns,
                                                 std::memory_order_relaxed));
  return true;
}

void TenantQuota::SetLimits(const TenantLimits& limits, TenantClassProbe* counts) {
  counts_.store(counts, std::memory_order_relaxed);
  sessions_.SetMost(limits.sessions);
  streams_.SetMost(limits.streams);
  connections_.SetMost(limits.connections);
  session_lifetime_seconds_.store(absl::ToDoubleSeconds(limits.session_lifetime), std::memory_order_relaxed);
  steps_.SetRate(limits.steps_per_second);
  bytes_.SetRate(limits.bytes_per_second);
}

absl::Status TenantQuota::Places::Take(const char* what, TenantLimit limit, TenantClassProbe* counts) {
  const double most = most_.load(std::memory_order_relaxed);
  const int64_t taken = taken_.fetch_add(1, std::memory_order_relaxed);
  if (most <= 0 || static_cast<double>(taken) < most) return absl::OkStatus();
  taken_.fetch_sub(1, std::memory_order_relaxed);
  if (counts != nullptr) counts->refused[limit].Add();
  return Refuse(Why::kTenantQuota, absl::StrCat("the tenant has ", taken, " ", what, ", the most it may"));
}

absl::Status TenantQuota::RefuseWork(const char* text, TenantLimit limit) const {
  TenantClassProbe* const counts = counts_.load(std::memory_order_relaxed);
  if (counts != nullptr) counts->refused[limit].Add();
  return Refuse(Why::kTenantQuota, text);
}

absl::Status TenantQuota::RefuseBytes() const {
  return RefuseWork("the tenant's requests take more bytes a second than it may", TenantLimit::kBytes);
}

absl::Status TenantQuota::TakeWork(const Work& work) {
  const absl::Time now = SteadyNow();
  if (!bytes_.HasRoom(now)) return RefuseBytes();
  if (!steps_.Take(static_cast<double>(work.steps), now)) {
    return RefuseWork("the tenant's requests take more steps a second than it may", TenantLimit::kSteps);
  }
  if (TenantClassProbe* const counts = counts_.load(std::memory_order_relaxed)) counts->steps.Add(work.steps);
  OweBytes(work.bytes, now);
  return absl::OkStatus();
}

absl::Status TenantQuota::TakeBytes(size_t bytes) {
  const absl::Time now = SteadyNow();
  if (!bytes_.HasRoom(now)) return RefuseBytes();
  OweBytes(bytes, now);
  return absl::OkStatus();
}

void TenantQuota::OweBytes(size_t bytes, absl::Time now) {
  bytes_.Owe(static_cast<double>(bytes), now);
  if (TenantClassProbe* const counts = counts_.load(std::memory_order_relaxed)) counts->bytes.Add(bytes);
}

}  // namespace rondo
