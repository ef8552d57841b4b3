#include "base/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

class MemoryLimitTest : public testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  size_t Available() const { return AvailableMemory({root_, root_ / "groups"}); }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
};

TEST_F(MemoryLimitTest, WithoutALimitItIsTheMachines) {
  const size_t machine = Available();
  EXPECT_GT(machine, size_t{1} << 20);
  Put("groups", "0::/a\n");
  Put("a/memory.max", "max\n");
  EXPECT_EQ(Available(), machine);
}

TEST_F(MemoryLimitTest, TheLeastLimitOfTheGroupsAboveHolds) {
  Put("groups", "0::/a/b\n");
  Put("a/memory.max", "65536\n");
  Put("a/b/memory.max", "131072\n");
  EXPECT_EQ(Available(), 65536u);
  Put("memory.max", "4096\n");  // in a container: the container's own
  EXPECT_EQ(Available(), 4096u);
}

TEST_F(MemoryLimitTest, VersionOneHasItsLimitInAHierarchyOfItsOwn) {
  Put("groups", "5:cpu,cpuacct:/a\n9:memory:/a\n");
  Put("memory/a/memory.limit_in_bytes", "8192\n");
  EXPECT_EQ(Available(), 8192u);
}

}  // namespace
}  // namespace rondo
