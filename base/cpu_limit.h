#ifndef RONDO_BASE_CPU_LIMIT_H_
#define RONDO_BASE_CPU_LIMIT_H_

#include <string>

namespace rondo {

struct CpuLimitPaths {
  std::string cgroup_root = "/sys/fs/cgroup";         // where the cgroup file systems are mounted
  std::string process_cgroups = "/proc/self/cgroup";  // which groups this process is in
};

// The CPU time this process may use, in whole CPUs, at least 1: the smaller of the CPUs it may be scheduled on and the
// quota of its cgroup and of all groups above (v2 cpu.max, v1 cpu.cfs_quota_us), rounded up. Files that are missing or
// make no sense limit nothing.
int AvailableCpus(const CpuLimitPaths& paths = {});

// The quota alone, in CPUs; infinity: none.
double CgroupCpuQuota(const CpuLimitPaths& paths);

}  // namespace rondo

#endif  // RONDO_BASE_CPU_LIMIT_H_
