#include "base/cpu_limit.h"

#include <sched.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

// A cgroup file system and /proc/self/cgroup in a temporary folder.
class CpuLimitTest : public testing::Test {
 protected:
  CpuLimitTest() {
    paths_.cgroup_root = root_ + "/cgroup";
    paths_.process_cgroups = root_ + "/self_cgroup";
  }

  void InGroups(const std::string& lines) { std::ofstream(paths_.process_cgroups) << lines; }
  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(paths_.cgroup_root) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  const TemporaryFolder folder_;
  const std::string root_ = folder_.path();
  CgroupPaths paths_;
};

TEST_F(CpuLimitTest, WithoutCgroupsNothingIsLimited) {
  EXPECT_TRUE(std::isinf(CgroupCpuQuota(paths_)));
  cpu_set_t mask;
  ASSERT_EQ(sched_getaffinity(0, sizeof(mask), &mask), 0);
  EXPECT_EQ(AvailableCpus(paths_), CPU_COUNT(&mask));
}

TEST_F(CpuLimitTest, Version2QuotaOfTheGroup) {
  InGroups("0::/kubepods/pod1\n");
  Write("kubepods/pod1/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(paths_), 1.5);
}

TEST_F(CpuLimitTest, TheTightestGroupAboveCounts) {
  InGroups("0::/a/b/c\n");
  Write("a/cpu.max", "50000 100000\n");
  Write("a/b/cpu.max", "max 100000\n");
  Write("a/b/c/cpu.max", "300000 100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(paths_), 0.5);
  EXPECT_EQ(AvailableCpus(paths_), 1);
}

TEST_F(CpuLimitTest, InAContainerTheMountItselfIsTheGroup) {
  InGroups("0::/\n");
  Write("cpu.max", "100000 100000\n");
  EXPECT_EQ(AvailableCpus(paths_), 1);
}

TEST_F(CpuLimitTest, Version1QuotaUnderTheJointNameOrItsLink) {
  InGroups("4:memory:/x\n3:cpu,cpuacct:/docker/1\n0::/\n");
  Write("cpu,cpuacct/docker/1/cpu.cfs_quota_us", "250000\n");
  Write("cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(paths_), 2.5);
  Write("cpu/cpu.cfs_quota_us", "75000\n");
  Write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(CgroupCpuQuota(paths_), 0.75);
}

TEST_F(CpuLimitTest, NoQuotaAndNonsenseLimitNothing) {
  InGroups("nonsense\n0::/g\n1:cpu:/g\n");
  for (const char* text : {"max 100000", "", "0 100000", "-1 100000", "100000 0", "x y", "1 2 3", "1e3 10"}) {
    Write("g/cpu.max", text);
    EXPECT_TRUE(std::isinf(CgroupCpuQuota(paths_))) << text;
  }
  Write("cpu/g/cpu.cfs_quota_us", "-1");
  Write("cpu/g/cpu.cfs_period_us", "100000");
  EXPECT_TRUE(std::isinf(CgroupCpuQuota(paths_)));
}

TEST_F(CpuLimitTest, QuotaIsRoundedUpAndNeverAddsCpus) {
  const int scheduled = AvailableCpus(paths_);
  InGroups("0::/\n");
  Write("cpu.max", absl::StrCat((scheduled - 1) * 100000 + 1, " 100000"));
  EXPECT_EQ(AvailableCpus(paths_), scheduled);
  Write("cpu.max", "100000000 100000");
  EXPECT_EQ(AvailableCpus(paths_), scheduled);
  Write("cpu.max", "1000 100000");
  EXPECT_EQ(AvailableCpus(paths_), 1);
}

}  // namespace
}  // namespace rondo
