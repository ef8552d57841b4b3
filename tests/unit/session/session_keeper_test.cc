// What a ResidentSessions tells its keeper and asks of it. No store is needed for that.
#include "server/session/session_keeper.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "server/session/resident_sessions.h"
#include "tests/unit/session/session_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down what it hears.
class RecordingKeeper : public SessionKeeper {
 public:
  explicit RecordingKeeper(bool commits_wait) : SessionKeeper(commits_wait) {}

  void OnEnter(SessionShard&, LiveSession* session, LeftSessions*) override { Hear("enters ", session->id); }
  void OnChange(SessionShard&, LiveSession* session, bool is_saved) override {
    Hear(is_saved ? "changed and saved " : "changed ", session->id);
  }
  void OnUse(SessionShard&, LiveSession* session) override { Hear("used ", session->id); }
  void OnEnd(SessionShard&, const LiveSession& session, const SessionEnd& end) override {
    Hear("ends ", session.id, ", ", ReasonOf(end));
  }
  absl::StatusOr<std::optional<SessionLease>> LookFor(const SessionKey& key, const ServedModelPtr*, LeaseWaiter*,
                                                      absl::Time) override {
    Hear("look for ", key.id);
    return absl::UnavailableError("elsewhere");
  }
  void CommitOnceSaved(LiveSession* session, Committed commit, CommitWaiter*) override {
    Hear("commit once saved ", session->id);
    waiting_session = session;
    waiting_commit = std::move(commit);
  }
  bool Discard(LiveSession* session) override {
    Hear("discard ", session->id);
    return false;
  }

  // What it has heard since the last call.
  std::vector<std::string> Heard() { return std::exchange(heard_, {}); }

  LiveSession* waiting_session = nullptr;
  Committed waiting_commit;

 private:
  template <typename... Words>
  void Hear(const Words&... words) {
    heard_.push_back(absl::StrCat(words...));
  }

  std::vector<std::string> heard_;
};

class SessionKeeperTest : public SessionFixture {
 protected:
  SessionKeeperTest() { resident_.KeepWith(&keeper_); }

  static SessionLease Acquire(ResidentSessions* resident, absl::string_view id, absl::Time now) {
    return *std::move(*resident->Acquire(id, nullptr, nullptr, now));
  }

  ResidentSessions resident_{SmallOptions()};  // first: what the keeper holds goes back to it
  RecordingKeeper keeper_{false};
};

TEST_F(SessionKeeperTest, AKeeperHearsOfEachChangeInItsOrder) {
  ASSERT_TRUE(resident_.Create("s", model_, std::nullopt, now_).ok());
  EXPECT_THAT(keeper_.Heard(), ElementsAre("enters s", "changed s"));
  Acquire(&resident_, "s", now_).Commit(OneStep(), now_);
  EXPECT_THAT(keeper_.Heard(), ElementsAre("changed s"));
  Acquire(&resident_, "s", now_).Release(now_);
  EXPECT_THAT(keeper_.Heard(), ElementsAre("used s"));
  ASSERT_TRUE(resident_.Delete("s").ok());
  EXPECT_THAT(keeper_.Heard(), ElementsAre("ends s, deleted by its owner"));
}

TEST_F(SessionKeeperTest, TheLastSequenceOfASessionIsAnEndAndNoChange) {
  ASSERT_TRUE(resident_.Create("s", model_, std::nullopt, now_).ok());
  SessionLease lease = Acquire(&resident_, "s", now_);
  keeper_.Heard();
  CommittedSequence last = OneStep();
  last.end_session = true;
  lease.Commit(last, now_);
  EXPECT_THAT(keeper_.Heard(), ElementsAre("ends s, ended by its owner"));
}

TEST_F(SessionKeeperTest, AKeeperHearsOfASessionThatExpires) {
  ASSERT_TRUE(resident_.Create("s", model_, absl::Seconds(5), now_).ok());
  keeper_.Heard();
  EXPECT_EQ(resident_.ExpireIdle(now_ + absl::Seconds(6)), 1u);
  EXPECT_THAT(keeper_.Heard(), ElementsAre("ends s, idle for 6 s"));
}

TEST_F(SessionKeeperTest, AKeeperIsAskedForASessionThatIsNotInMemory) {
  EXPECT_TRUE(absl::IsUnavailable(resident_.Acquire("s", &model_, nullptr, now_).status()));
  EXPECT_THAT(keeper_.Heard(), ElementsAre("look for s"));
  EXPECT_EQ(resident_.size(), 0u);
}

TEST_F(SessionKeeperTest, ALeaseOnASessionThatWasDeletedTellsNothingMore) {
  ASSERT_TRUE(resident_.Create("s", model_, std::nullopt, now_).ok());
  SessionLease lease = Acquire(&resident_, "s", now_);
  ASSERT_TRUE(resident_.Delete("s").ok());
  keeper_.Heard();
  EXPECT_TRUE(lease.Commit(OneStep(), now_)->ok());
  EXPECT_THAT(keeper_.Heard(), IsEmpty());
}

TEST_F(SessionKeeperTest, WhereCommitsWaitTheKeeperEndsTheLease) {
  ResidentSessions resident(SmallOptions());
  RecordingKeeper keeper(true);
  resident.KeepWith(&keeper);
  ASSERT_TRUE(resident.Create("s", model_, std::nullopt, now_).ok());
  SessionLease lease = Acquire(&resident, "s", now_);
  float* const next_state = lease.next_state();
  EXPECT_NE(next_state, lease.state());
  next_state[0] = 3;
  keeper.Heard();
  const CommittedSequence sequence = OneStep();
  EXPECT_EQ(lease.Commit(sequence, now_, nullptr), std::nullopt);
  EXPECT_THAT(keeper.Heard(), ElementsAre("commit once saved s"));
  EXPECT_EQ(resident.Get("s", now_)->position, 0);

  EXPECT_TRUE(resident.Commit(keeper.waiting_session, &keeper.waiting_commit, true).ok());
  EXPECT_THAT(keeper.Heard(), ElementsAre("changed and saved s"));
  EXPECT_EQ(resident.Get("s", now_)->position, 1);
  EXPECT_EQ(Acquire(&resident, "s", now_).state()[0], 3);
}

TEST_F(SessionKeeperTest, ACommitOnASessionThatMovedIsAborted) {
  ASSERT_TRUE(resident_.Create("s", model_, std::nullopt, now_).ok());
  SessionLease lease = Acquire(&resident_, "s", now_);
  const SessionKey key("s");
  SessionShard& shard = resident_.ShardOf(key.hash);
  WaitQueue heard;
  {
    MutexLock lock(&shard.mutex);
    EXPECT_EQ(resident_.Detach(shard, shard.Find(key), LiveSession::Standing::kMoved, MovedError("s"), &heard),
              nullptr);
  }
  EXPECT_TRUE(absl::IsAborted(*lease.Commit(OneStep(), now_)));
  EXPECT_EQ(resident_.size(), 0u);
}

}  // namespace
}  // namespace rondo
