#include "server/listen/descriptor_limit.h"

#include <sys/resource.h>

#include "gtest/gtest.h"

namespace rondo {
namespace {

TEST(DescriptorLimitTest, KeepsSomeForEverythingElse) {
  EXPECT_EQ(MostConnections(64), 32u);
  EXPECT_EQ(MostConnections(1024), 896u);
  EXPECT_EQ(MostConnections(1'000'000), 999'872u);
}

TEST(DescriptorLimitTest, RaisesTheSoftLimitToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lowered{64, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  EXPECT_GE(RaiseDescriptorLimit(), 64u);
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
}

}  // namespace
}  // namespace rondo
