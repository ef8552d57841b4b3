#include "server/listen/connection_places.h"

#include <set>

#include "gtest/gtest.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

// Two places, and sockets whose inode is 100 + descriptor.
class ConnectionPlacesTest : public ::testing::Test {
 protected:
  absl::Status TryAdmit(int descriptor, absl::Duration at = absl::ZeroDuration()) {
    return places_.Admit(descriptor, 100 + static_cast<uint64_t>(descriptor), absl::UnixEpoch() + at,
                         [this](int open, uint64_t inode) { return IsOpen(open, inode); });
  }
  bool Admit(int descriptor, absl::Duration at = absl::ZeroDuration()) {
    const bool admitted = TryAdmit(descriptor, at).ok();
    if (admitted) open_.insert(descriptor);
    return admitted;
  }
  bool IsOpen(int descriptor, uint64_t inode) {
    ++looks_;
    return open_.count(descriptor) == 1 && inode == 100 + static_cast<uint64_t>(descriptor);
  }

  ConnectionPlaces places_{2};
  std::set<int> open_;
  int looks_ = 0;
};

TEST_F(ConnectionPlacesTest, ANewcomerIsRefusedWhileAllPlacesAreTaken) {
  EXPECT_TRUE(Admit(5));
  EXPECT_TRUE(Admit(6));
  EXPECT_FALSE(Admit(7));
  EXPECT_EQ(places_.taken(), 2u);
}

TEST_F(ConnectionPlacesTest, TheRefusalSaysThatConnectionsAreFullAndHowManyThereMayBe) {
  ASSERT_TRUE(Admit(5) && Admit(6));
  const absl::Status refusal = TryAdmit(7);
  EXPECT_EQ(RefusalOf(refusal).why, Why::kConnectionsFull);
  EXPECT_EQ(refusal.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(refusal.message(), "the server has max_connections=2 open");
}

TEST_F(ConnectionPlacesTest, ANewcomerIsLetInWhenOneHasLeft) {
  ASSERT_TRUE(Admit(5) && Admit(6));
  open_.erase(5);
  EXPECT_TRUE(Admit(7));
  EXPECT_FALSE(Admit(8, absl::Seconds(1)));
}

TEST_F(ConnectionPlacesTest, ADescriptorThatComesAgainHasLeftBefore) {
  ASSERT_TRUE(Admit(5) && Admit(6));
  EXPECT_TRUE(Admit(6));
  EXPECT_EQ(places_.taken(), 2u);
}

TEST_F(ConnectionPlacesTest, ADescriptorThatIsAnotherSocketNowIsNotTheConnection) {
  ASSERT_TRUE(Admit(5));
  places_.Recount(absl::UnixEpoch(), [](int, uint64_t inode) { return inode == 999; });
  EXPECT_EQ(places_.taken(), 0u);
}

TEST_F(ConnectionPlacesTest, AFloodDoesNotMakeItRecountEachTime) {
  ASSERT_TRUE(Admit(5) && Admit(6));
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(Admit(7, absl::Seconds(1)));
  EXPECT_EQ(looks_, 2);
}

}  // namespace
}  // namespace rondo
