// Sequences of sessions that a store keeps.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "server/serve/sequence_task.h"
#include "server/store/session_record.h"
#include "tests/unit/serve/serve_fixture.h"
#include "tests/unit/session/memory_store.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;

SessionPersistence StoreOn(const std::shared_ptr<MemoryDisk>& disk, Durability durability) {
  SessionPersistence persistence;
  persistence.store = std::make_unique<MemoryStore>(disk);
  persistence.durability = durability;
  persistence.sync_interval = absl::Hours(1);
  return persistence;
}

std::shared_ptr<MemoryDisk> SharedDisk() {
  auto disk = std::make_shared<MemoryDisk>();
  disk->Share();
  return disk;
}

class StoredSequenceTest : public ServeFixture {
 protected:
  explicit StoredSequenceTest(Durability durability = Durability::kEveryReply,
                              std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>())
      : ServeFixture({}, {}, StoreOn(disk, durability)), disk_(std::move(disk)) {}

  const std::shared_ptr<MemoryDisk> disk_;
};

TEST_F(StoredSequenceTest, ADurableReplySaysHowFarTheStoreIs) {
  const SequenceResult result = Run(Of("s", 0, three_steps_));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.next_position, 3);
  EXPECT_EQ(result.durable_position, 3);
  EXPECT_TRUE(disk_->Has("s"));
}

TEST_F(StoredSequenceTest, AnUnknownSessionMayBeBegunAgainFromZero) {
  const SequenceResult unknown = Run(Of("s", 5, one_));
  ExpectRefused(unknown.status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0, 0);
  EXPECT_EQ(unknown.durable_position, 0);
  SequenceView last = Of("s", 0, one_);
  last.end_session = true;
  ASSERT_TRUE(Run(last).status.ok());
  const SequenceResult ended = Run(Of("s", 1, one_));
  ExpectRefused(ended.status, Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0);
  EXPECT_EQ(ended.durable_position, std::nullopt);
}

TEST_F(StoredSequenceTest, AStoreThatIsAwayRefusesWhatItCannotLoad) {
  disk_->FailWith(absl::UnavailableError("away"));
  ExpectRefused(Run(Of("s", 0, one_)).status, Why::kStore, "store", absl::StatusCode::kUnavailable, 0);
}

TEST_F(StoredSequenceTest, AStepThatCannotBeSavedIsRefusedAndHasNotHappened) {
  ASSERT_TRUE(Run(Of("s", 0, one_)).status.ok());
  disk_->FailWith("s", absl::UnavailableError("away"));
  const SequenceResult away = Run(Of("s", 1, one_));
  ExpectRefused(away.status, Why::kStore, "store", absl::StatusCode::kUnavailable, 0);
  EXPECT_EQ(away.next_position, 0);
  EXPECT_EQ(away.durable_position, std::nullopt);
  disk_->FailWith("s", absl::ResourceExhaustedError("no space"));
  ExpectRefused(Run(Of("s", 1, one_)).status, Why::kStoreFull, "store_full", absl::StatusCode::kResourceExhausted, 100);
  disk_->FailWith("s", absl::OkStatus());
  EXPECT_TRUE(Run(Of("s", 1, one_)).status.ok());
  EXPECT_THAT(last_values_, ElementsAre(2));
}

TEST_F(StoredSequenceTest, ADamagedSessionIsRefusedAlone) {
  disk_->Put("s", "no record");
  ExpectRefused(Run(Of("s", 1, one_)).status, Why::kStore, "store", absl::StatusCode::kDataLoss, 0);
  EXPECT_TRUE(Run(Of("t", 0, one_)).status.ok());
}

TEST_F(StoredSequenceTest, ASessionThatAnotherServerTookHasMoved) {
  ASSERT_TRUE(Run(Of("s", 0, one_)).status.ok());
  MemoryStore other(disk_);
  SessionStore::LoadOp load;
  load.id = "s";
  other.Load(absl::MakeSpan(&load, 1));
  const SequenceResult moved = Run(Of("s", 1, one_));
  ExpectRefused(moved.status, Why::kMoved, "moved", absl::StatusCode::kAborted, 0);
  EXPECT_TRUE(Run(Of("s", 1, one_)).status.ok());  // it is taken back
}

TEST_F(StoredSequenceTest, AClientThatIsAheadMakesTheServerAskTheStoreOnce) {
  ASSERT_TRUE(Run(Of("s", 0, one_)).status.ok());
  const SequenceResult ahead = Run(Of("s", 5, one_));
  ExpectRefused(ahead.status, Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0, 1);
  EXPECT_EQ(ahead.next_position, 1);
}

class CrashedSequenceTest : public StoredSequenceTest {
 protected:
  CrashedSequenceTest() : StoredSequenceTest(Durability::kInterval, SharedDisk()) {}

  // Has a session at position 3 in the store that belongs to a server which does not live.
  void LeaveBehind(const std::string& id) {
    ASSERT_TRUE(Run(Of(id + "-model", 0, three_steps_)).status.ok());
    SessionLease like = Hold(id + "-model");
    SessionRecord record = like.Export();
    record.id = id;
    const std::string value = Encode(record);
    SessionStore::SaveOp save;
    save.id = id;
    save.value = value;
    crashed_.Save(absl::MakeSpan(&save, 1));
    ASSERT_TRUE(save.status.ok()) << save.status;
  }
  void ExpectWentBack(const SequenceResult& result) {
    ExpectRefused(result.status, Why::kWentBack, "went_back", absl::StatusCode::kFailedPrecondition, 0, 3);
    EXPECT_EQ(result.next_position, 3);
  }

  MemoryStore crashed_{disk_};
};

TEST_F(CrashedSequenceTest, ASessionThatWentBackIsSaidOnceAndThenGoesOn) {
  LeaveBehind("s");
  ExpectWentBack(Run(Of("s", std::nullopt, one_)));
  const SequenceResult next = Run(Of("s", std::nullopt, one_));
  EXPECT_TRUE(next.status.ok()) << next.status;
  EXPECT_EQ(next.next_position, 4);
}

TEST_F(CrashedSequenceTest, AClientWithPositionsNeedsNoWord) {
  LeaveBehind("s");
  EXPECT_TRUE(Run(Of("s", 3, one_)).status.ok());
  EXPECT_TRUE(Run(Of("s", std::nullopt, one_)).status.ok());
}

TEST_F(CrashedSequenceTest, ItIsSaidAgainIfItsClientMayNotHaveHeard) {
  LeaveBehind("s");
  ASSERT_TRUE(Run(Of("busy", 0, one_)).status.ok());
  const std::vector<SequenceView> both = {Of("s", std::nullopt, one_), Of("busy", std::nullopt, one_)};
  // The message waits for its other session, until its client has nearly given up, or has.
  for (const bool cancelled : {false, true}) {
    SessionLease busy = Hold("busy");
    TestExchange exchange;
    Message message(&context_, Method::kPredict, &exchange);
    exchange.sequences = both;
    message.Start(RequestOf("sum", 2), now_ - absl::Seconds(2),
                  cancelled ? absl::InfiniteFuture() : now_ + absl::Seconds(1));
    if (!cancelled) inbox_.Await();  // the session comes from the store
    RunUntilIdle();
    ASSERT_TRUE(message.running());
    if (cancelled) message.Cancel();
    busy.Release(now_);
    RunUntilIdle();
    ASSERT_FALSE(message.running());
    ExpectWentBack(*exchange.results[0]);
  }
  ExpectWentBack(Run(Of("s", std::nullopt, one_)));
  EXPECT_TRUE(Run(Of("s", std::nullopt, one_)).status.ok());
}

TEST_F(StoredSequenceTest, ACancelledCommitEndsAsTheStoreSays) {
  disk_->Pause();
  TestExchange exchange;
  Message message(&context_, Method::kStreamPredict, &exchange);
  Start({Of("s", 0, one_)}, &message, &exchange);
  inbox_.Await();  // loaded
  RunUntilIdle();
  disk_->AwaitSave();
  message.Cancel();
  EXPECT_TRUE(message.running());
  disk_->Resume();
  inbox_.Await();
  RunUntilIdle();
  EXPECT_TRUE(exchange.results[0]->status.ok());
  EXPECT_EQ(exchange.results[0]->durable_position, 1);
}

}  // namespace
}  // namespace rondo
