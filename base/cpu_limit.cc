#include "base/cpu_limit.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// Reads a quota. "max" and v1's -1 mean that there is none, and so does a text that is no number.
double Quota(absl::string_view quota, absl::string_view period) {
  int64_t quota_us = 0;
  int64_t period_us = 0;
  if (!absl::SimpleAtoi(quota, &quota_us) || !absl::SimpleAtoi(period, &period_us)) return kNoQuota;
  if (quota_us <= 0 || period_us <= 0) return kNoQuota;
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

double QuotaOf(const Cgroup& group) {
  if (!group.is_v2) {
    return Quota(ReadLimit(group.folder + "/cpu.cfs_quota_us"), ReadLimit(group.folder + "/cpu.cfs_period_us"));
  }
  const std::vector<std::string> fields = absl::StrSplit(ReadLimit(group.folder + "/cpu.max"), ' ');
  return fields.size() == 2 ? Quota(fields[0], fields[1]) : kNoQuota;
}

int ScheduledCpus() {
  // The kernel refuses a mask with fewer bits than it has CPUs (EINVAL), so the mask grows until it fits.
  for (size_t cpus = 1024; cpus <= 1024 * 64; cpus *= 2) {
    std::vector<cpu_set_t> mask(cpus / CPU_SETSIZE);
    const size_t bytes = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

double CgroupCpuQuota(const CgroupPaths& paths) {
  double least = kNoQuota;
  for (const Cgroup& group : CgroupsOf(paths, "cpu")) least = std::min(least, QuotaOf(group));
  return least;
}

int AvailableCpus(const CgroupPaths& paths) {
  const int scheduled = std::max(1, ScheduledCpus());
  const double quota = std::ceil(CgroupCpuQuota(paths));
  return quota < scheduled ? std::max(1, static_cast<int>(quota)) : scheduled;
}

}  // namespace rondo
