#include "server/rpc/call/call.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What the calls of a test have been told, in order. Outlives them.
using Story = std::vector<std::string>;

// A call whose operations come back when the test says so.
class FakeCall : public Call {
 public:
  explicit FakeCall(Story* story) : story_(story) { arrival = BeginArrival(); }
  ~FakeCall() override { story_->push_back("deleted"); }

  void Drain() override { story_->push_back("drain"); }
  void Leave() override { story_->push_back("leave"); }

  Event* BeginWork() { return Begin(&work_); }
  Event* Finish() { return BeginFinish(); }
  Event* done() { return done_event(); }
  using Call::arrived;
  using Call::CallOff;
  using Call::finishing;

  Event* arrival = nullptr;
  bool cancelled = false;
  bool finishes_on_work = false;
  Event* finish = nullptr;

 private:
  void OnArrived() override { story_->push_back("arrived"); }
  void OnCancelled() override { story_->push_back("cancelled"); }
  bool IsCancelled() const override { return cancelled; }
  void OnWork(bool ok) {
    story_->push_back(ok ? "work" : "no work");
    if (finishes_on_work) finish = BeginFinish();
  }

  Story* const story_;
  CallEvent<&FakeCall::OnWork> work_{this};
};

class CallTest : public testing::Test {
 protected:
  FakeCall* Add() {
    auto call = std::make_unique<FakeCall>(&story_);
    FakeCall* const added = call.get();
    calls_.Add(std::move(call));
    return added;
  }
  FakeCall* AddArrived() {
    FakeCall* const call = Add();
    call->arrival->Proceed(true);
    story_.clear();
    return call;
  }

  Story story_;
  CallList calls_;
};

TEST_F(CallTest, ACallThatNeverCameIsOverAtOnceAndIsToldNothing) {
  FakeCall* const call = Add();
  call->arrival->Proceed(false);
  EXPECT_THAT(story_, ElementsAre("deleted"));
}

TEST_F(CallTest, ACallIsOverWhenItHasFinishedAndIsDone) {
  FakeCall* const call = Add();
  call->arrival->Proceed(true);
  Event* const done = call->done();
  call->Finish()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("arrived"));
  done->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("arrived", "deleted"));
}

TEST_F(CallTest, ACallThatIsDoneWaitsForItsFinish) {
  FakeCall* const call = AddArrived();
  Event* const finish = call->Finish();
  call->done()->Proceed(true);
  EXPECT_THAT(story_, IsEmpty());
  finish->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("deleted"));
}

TEST_F(CallTest, ACallWithNothingUnderWayLivesUntilItFinishes) {
  FakeCall* const call = AddArrived();
  call->BeginWork()->Proceed(true);
  call->done()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("work"));
  EXPECT_FALSE(call->finishing());
  call->Finish()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("work", "deleted"));
}

TEST_F(CallTest, AnOperationThatComesBackLastEndsTheCall) {
  FakeCall* const call = AddArrived();
  Event* const work = call->BeginWork();
  call->Finish()->Proceed(true);
  call->done()->Proceed(true);
  EXPECT_THAT(story_, IsEmpty());
  work->Proceed(false);
  EXPECT_THAT(story_, ElementsAre("no work", "deleted"));
}

TEST_F(CallTest, AnOperationMayBeginTheNextOne) {
  FakeCall* const call = AddArrived();
  call->finishes_on_work = true;
  call->done()->Proceed(true);
  call->BeginWork()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("work"));
  call->finish->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("work", "deleted"));
}

TEST_F(CallTest, AnOperationThatIsCalledOffIsNotWaitedFor) {
  FakeCall* const call = AddArrived();
  call->BeginWork();
  call->CallOff();
  call->Finish()->Proceed(true);
  call->done()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("deleted"));
}

TEST_F(CallTest, OnlyACancelledCallHearsThatItIsCancelled) {
  FakeCall* const kept = AddArrived();
  kept->done()->Proceed(true);
  EXPECT_THAT(story_, IsEmpty());
  FakeCall* const cancelled = AddArrived();
  cancelled->cancelled = true;
  cancelled->done()->Proceed(true);
  EXPECT_THAT(story_, ElementsAre("cancelled"));
  kept->Finish()->Proceed(true);
  cancelled->Finish()->Proceed(true);
}

TEST_F(CallTest, AwaitedCallsAreNotTold) {
  FakeCall* const awaited = Add();
  FakeCall* const arrived = AddArrived();
  calls_.TellAll(&Call::Drain);
  EXPECT_THAT(story_, ElementsAre("drain"));
  EXPECT_FALSE(awaited->arrived());
  EXPECT_EQ(calls_.told_left(), 1u);
  arrived->Finish()->Proceed(true);
  arrived->done()->Proceed(true);
  EXPECT_EQ(calls_.told_left(), 0u);
  awaited->arrival->Proceed(false);
}

TEST_F(CallTest, ACallThatWasNotToldDoesNotCountAsToldWhenItEnds) {
  FakeCall* const told = AddArrived();
  calls_.TellAll(&Call::Drain);
  FakeCall* const late = AddArrived();
  late->Finish()->Proceed(true);
  late->done()->Proceed(true);
  EXPECT_EQ(calls_.told_left(), 1u);
  calls_.TellAll(&Call::Leave);
  EXPECT_THAT(story_, ElementsAre("deleted", "leave"));
  EXPECT_EQ(calls_.told_left(), 1u);
  told->Finish()->Proceed(true);
  told->done()->Proceed(true);
  EXPECT_EQ(calls_.told_left(), 0u);
}

TEST_F(CallTest, WaitUntilNoneWaitsForAwaitedCallsToo) {
  FakeCall* const awaited = Add();
  std::thread loop([awaited] { awaited->arrival->Proceed(false); });
  calls_.WaitUntilNone();
  loop.join();
  EXPECT_THAT(story_, ElementsAre("deleted"));
}

}  // namespace
}  // namespace rondo
