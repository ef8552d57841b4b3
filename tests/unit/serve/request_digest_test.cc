#include "server/serve/request_digest.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace rondo {
namespace {

TEST(RequestDigestTest, DiffersInEverythingThatDecidesTheReply) {
  const uint64_t base = RequestDigest({1, 2, 3}, {4}, false);
  EXPECT_EQ(base, RequestDigest({1, 2, 3}, {4}, false));
  for (const uint64_t other : {RequestDigest({1, 2, 4}, {4}, false), RequestDigest({1, 3, 2}, {4}, false),
                               RequestDigest({1, 2, 3}, {5}, false), RequestDigest({1, 2, 3}, {}, false),
                               RequestDigest({1, 2, 3}, {4}, true), RequestDigest({1, 2}, {4}, false)}) {
    EXPECT_NE(base, other);
  }
}

TEST(RequestDigestTest, EveryLengthAndEveryBitCounts) {
  std::set<uint64_t> seen;
  std::vector<float> values;
  for (size_t length = 0; length < 40; ++length) {
    EXPECT_TRUE(seen.insert(RequestDigest(values, {}, false)).second) << length;
    for (float& value : values) {
      value = -value;  // one bit
      EXPECT_TRUE(seen.insert(RequestDigest(values, {}, false)).second);
      value = -value;
    }
    values.push_back(0);
  }
}

// A stored session has its last one, so a server of another build must come to equal digests. These were computed in
// Python.
TEST(RequestDigestTest, IsStable) {
  EXPECT_EQ(RequestDigest({1, 2, 3}, {4}, false), uint64_t{0x2481d539d065b842});
  EXPECT_EQ(RequestDigest({}, {}, true), uint64_t{0xf2001615e4c282a4});
}

}  // namespace
}  // namespace rondo
