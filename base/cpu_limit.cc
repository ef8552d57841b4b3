#include "base/cpu_limit.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace rondo {
namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Reads a quota. "max" and v1's -1 mean that there is none, and so does a text that is no number.
double Quota(absl::string_view quota, absl::string_view period) {
  int64_t quota_us = 0;
  int64_t period_us = 0;
  if (!absl::SimpleAtoi(quota, &quota_us) || !absl::SimpleAtoi(period, &period_us)) return kNoQuota;
  if (quota_us <= 0 || period_us <= 0) return kNoQuota;
  return static_cast<double>(quota_us) / static_cast<double>(period_us);
}

double QuotaV2(const std::string& folder) {
  const std::vector<std::string> fields = absl::StrSplit(FirstLine(folder + "/cpu.max"), ' ');
  return fields.size() == 2 ? Quota(fields[0], fields[1]) : kNoQuota;
}

double QuotaV1(const std::string& folder) {
  return Quota(FirstLine(folder + "/cpu.cfs_quota_us"), FirstLine(folder + "/cpu.cfs_period_us"));
}

// Returns the least quota of the group at `path` below `mount` and of all above it. The walk ends at the mount itself:
// in a container that is the container's own group, while `path` may be the host's name of it.
double LeastQuota(const std::string& mount, absl::string_view path, double (*quota_of)(const std::string&)) {
  double least = quota_of(mount);
  std::string folder = mount;
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&folder, "/", part);
    least = std::min(least, quota_of(folder));
  }
  return least;
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

double CgroupCpuQuota(const CpuLimitPaths& paths) {
  double least = kNoQuota;
  std::ifstream file(paths.process_cgroups);
  // hierarchy-id ":" controllers ":" path; v2 is "0::path" (cgroups(7)).
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(fields[1], ',');
    if (fields[0] == "0" && fields[1].empty()) {
      least = std::min(least, LeastQuota(paths.cgroup_root, fields[2], QuotaV2));
    } else if (absl::c_linear_search(controllers, "cpu")) {
      // The hierarchy is mounted under the controllers' joint name, and distributions link "cpu" to it.
      for (const std::string& name : {fields[1], std::string("cpu")}) {
        least = std::min(least, LeastQuota(absl::StrCat(paths.cgroup_root, "/", name), fields[2], QuotaV1));
      }
    }
  }
  return least;
}

int AvailableCpus(const CpuLimitPaths& paths) {
  const int scheduled = std::max(1, ScheduledCpus());
  const double quota = std::ceil(CgroupCpuQuota(paths));
  return quota < scheduled ? std::max(1, static_cast<int>(quota)) : scheduled;
}

}  // namespace rondo
