#ifndef RONDO_BASE_CPU_LIMIT_H_
#define RONDO_BASE_CPU_LIMIT_H_

#include "base/cgroup.h"

namespace rondo {

// Returns how many CPUs this process may use, at least 1: the CPUs that it may be scheduled on or, if that is less, the
// quota of its cgroup and of all groups above (v2 cpu.max, v1 cpu.cfs_quota_us), rounded up. Files that are missing or
// make no sense limit nothing.
int AvailableCpus(const CgroupPaths& paths = {});

// Returns the quota alone, in CPUs; infinity if there is none.
double CgroupCpuQuota(const CgroupPaths& paths);

}  // namespace rondo

#endif  // RONDO_BASE_CPU_LIMIT_H_
