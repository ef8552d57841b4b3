#include "server/rpc/call/awaited_messages.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

class FakeCall : public AwaitedMessage {
 public:
  explicit FakeCall(std::string holder) : holder_(std::move(holder)) {}
  std::string Holder() const override { return holder_; }
  void GiveUp(const absl::Status& why) override { ended_ = why; }
  bool has_ended() const { return !ended_.ok(); }
  const absl::Status& ended() const { return ended_; }

 private:
  const std::string holder_;
  absl::Status ended_;
};

class AwaitedMessagesTest : public ::testing::Test {
 protected:
  FakeCall* Add(const std::string& holder, uint64_t times_read_all, absl::Duration at) {
    calls_.push_back(std::make_unique<FakeCall>(holder));
    awaited_.Add(calls_.back().get(), times_read_all, absl::UnixEpoch() + at);
    return calls_.back().get();
  }

  AwaitedMessages awaited_{8};
  std::vector<std::unique_ptr<FakeCall>> calls_;
};

TEST_F(AwaitedMessagesTest, ABurstOfAnyNumberEndsForNobody) {
  for (int i = 0; i < 100; ++i) Add("a", 1, absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) Add("a", 2, absl::Milliseconds(40));
  EXPECT_EQ(awaited_.size(), 200u);
  for (const auto& call : calls_) EXPECT_TRUE(awaited_.Remove(call.get()));
  EXPECT_EQ(awaited_.size(), 0u);
}

TEST_F(AwaitedMessagesTest, WhoHasMostLosesTheOldest) {
  FakeCall* const slow = Add("honest", 1, absl::ZeroDuration());
  for (int i = 0; i < 7; ++i) Add("bad", 1, absl::Milliseconds(i + 1));
  EXPECT_EQ(awaited_.size(), 8u);
  FakeCall* const fresh = Add("bad", 9, absl::Seconds(1));
  EXPECT_FALSE(slow->has_ended());
  EXPECT_FALSE(fresh->has_ended());
  EXPECT_EQ(awaited_.size(), 6u) << "room for some more";
  EXPECT_TRUE(calls_[1]->has_ended() && calls_[3]->has_ended());
  EXPECT_EQ(calls_[1]->ended().message(), "the call's message has not come, and more than 8 calls wait for theirs");
  EXPECT_FALSE(calls_[4]->has_ended());
  EXPECT_FALSE(awaited_.Remove(calls_[1].get())) << "it is awaited no more";
  EXPECT_TRUE(awaited_.Remove(calls_[4].get()));
}

TEST_F(AwaitedMessagesTest, AMessageThatTakesTooLongIsGivenUpThoughThereIsRoom) {
  FakeCall* const first = Add("a", 1, absl::ZeroDuration());
  FakeCall* const second = Add("a", 1, absl::Seconds(1));
  awaited_.EndOverdue(100, absl::UnixEpoch() + AwaitedMessages::kPatience);
  EXPECT_EQ(first->ended().message(), "the call's message has not come within 30s");
  EXPECT_FALSE(second->has_ended());
  EXPECT_EQ(awaited_.size(), 1u);
}

TEST_F(AwaitedMessagesTest, ThoseOfABurstThatDoNotComeAreGivenUpWithoutAFurtherCall) {
  for (int i = 0; i < 20; ++i) Add(absl::StrCat("client", i), 1, absl::ZeroDuration());
  awaited_.EndOverdue(2, absl::UnixEpoch() + absl::Seconds(1));
  EXPECT_EQ(awaited_.size(), 20u) << "the loop has not looked at the sockets since";
  awaited_.EndOverdue(3, absl::UnixEpoch() + absl::Seconds(1));
  EXPECT_EQ(awaited_.size(), 6u);
}

TEST_F(AwaitedMessagesTest, AMessageThatMayLieInTheLoopsQueueIsNotLate) {
  for (int i = 0; i < 20; ++i) Add("a", 1, absl::ZeroDuration());
  Add("a", 1, absl::Minutes(1));
  awaited_.EndOverdue(2, absl::UnixEpoch() + absl::Minutes(1));
  EXPECT_EQ(awaited_.size(), 21u) << "the loop has been busy for a minute with what came before them";
}

}  // namespace
}  // namespace rondo
