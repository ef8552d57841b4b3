#include "server/store/store_thread.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/metrics.h"
#include "server/store/session_store.h"

namespace rondo {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Lets threads through once it is opened.
class Gate {
 public:
  void Open() {
    const MutexLock lock(&mutex_);
    open_ = true;
    opened_.SignalAll();
  }
  void Pass() {
    const MutexLock lock(&mutex_);
    while (!open_) opened_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar opened_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

// What the test sees of a store that its thread owns.
struct StoreLog {
  std::vector<std::string> calls;  // e.g. "save a=1 b=2", "load c"; read it when the thread is gone, or idle
  std::map<std::string, std::string> values;
  absl::Status answer;
  bool held = false;     // by another server
  Gate* gate = nullptr;  // the first call passes it
  Gate entered;          // the first call has begun
  std::atomic<int> drops{0};
  int wanted_drops = 0;  // until then there are many more
  Gate dropped;          // so many
};

// Keeps values in memory, for scheduling alone: what stores must do is asked of the real ones.
class RecordedStore : public SessionStore {
 public:
  explicit RecordedStore(StoreLog* log) : log_(log) {}

  void Load(absl::Span<LoadOp> loads) override {
    std::string call = "load";
    for (LoadOp& load : loads) {
      absl::StrAppend(&call, " ", load.id);
      load.status = log_->answer;
      load.value = log_->values[std::string(load.id)];
      load.epoch = 7;
      load.held = log_->held;
    }
    Note(std::move(call));
  }
  void Save(absl::Span<SaveOp> saves) override {
    std::string call = "save";
    for (SaveOp& save : saves) {
      absl::StrAppend(&call, " ", save.id, "=", save.value);
      log_->values[std::string(save.id)] = std::string(save.value);
      save.status = log_->answer;
    }
    Note(std::move(call));
  }
  void Scan(ScanOp* scan) override {
    scan->status = log_->answer;
    scan->entries = {{scan->prefix, scan->from}};
    Note(absl::StrCat("scan ", scan->prefix, " from ", scan->from));
  }
  bool DropExpired(absl::Time) override {
    const int drops = ++log_->drops;
    if (drops == log_->wanted_drops) log_->dropped.Open();
    return drops < log_->wanted_drops;
  }

 private:
  void Note(std::string call) {
    log_->calls.push_back(std::move(call));
    log_->entered.Open();
    if (log_->gate != nullptr) log_->gate->Pass();
  }

  StoreLog* const log_;
};

class StoreThreadTest : public testing::Test {
 protected:
  // Unless it is said otherwise nothing comes by itself.
  static StoreThread::Options Quiet() {
    StoreThread::Options options;
    options.tick_interval = options.drop_interval = absl::Hours(1);
    return options;
  }
  void Start(StoreThread::Options options = Quiet()) {
    owned_ =
        std::make_unique<StoreThread>(std::make_unique<RecordedStore>(&log_), metrics_.store(), std::move(options));
    thread_ = owned_.get();
  }
  void Save(const std::string& id, const std::string& value) {
    StoreThread::Save save;
    save.id = id;
    save.value = value;
    save.done = [this](const absl::Status& status) { saved_.push_back(status); };
    thread_->Enqueue(std::move(save));
  }
  void Load(const std::string& id) {
    thread_->Load({id, [this](StoreThread::Loaded loaded) { loaded_.push_back(std::move(loaded)); }});
  }
  // The thread is in the store, with the save of "first", until the gate is opened.
  void StartAtTheGate() {
    log_.gate = &gate_;
    Start();
    Save("first", "0");
    log_.entered.Pass();
  }
  void Finish() {
    gate_.Open();
    owned_.reset();
  }

  Metrics metrics_;
  StoreLog log_;
  Gate gate_;
  std::vector<absl::Status> saved_;  // by the thread; read them when it is gone
  std::vector<StoreThread::Loaded> loaded_;
  StoreThread* thread_ = nullptr;  // also while its destructor runs
  std::unique_ptr<StoreThread> owned_;
};

TEST_F(StoreThreadTest, WhatIsAskedForMeanwhileMakesOneBatchOfLoadsAndOneOfSaves) {
  StartAtTheGate();
  Save("a", "1");
  Load("b");
  Save("c", "2");
  Load("d");
  Finish();
  EXPECT_THAT(log_.calls, ElementsAre("save first=0", "load b d", "save a=1 c=2"));
  EXPECT_THAT(saved_, AllOf(SizeIs(3), Each(absl::OkStatus())));
  ASSERT_THAT(loaded_, SizeIs(2));
  EXPECT_EQ(loaded_[0].epoch, 7u);
}

TEST_F(StoreThreadTest, OperationsOnOneIdTakeEffectInTheirOrder) {
  StartAtTheGate();
  Save("a", "1");
  Load("a");
  Load("a");
  Save("a", "2");
  Load("a");
  Finish();
  EXPECT_THAT(log_.calls, ElementsAre("save first=0", "save a=1", "load a", "save a=2", "load a"));
  ASSERT_THAT(loaded_, SizeIs(3));
  EXPECT_EQ(loaded_[0].value, "1");
  EXPECT_EQ(loaded_[1].value, "1");
  EXPECT_EQ(loaded_[2].value, "2");
}

TEST_F(StoreThreadTest, OfSavesOfOneIdTheNewestIsWrittenAndAllAreAnswered) {
  StartAtTheGate();
  for (const char* value : {"1", "2", "3"}) Save("a", value);
  Finish();
  EXPECT_THAT(log_.calls, ElementsAre("save first=0", "save a=3"));
  EXPECT_THAT(saved_, SizeIs(4));
}

TEST_F(StoreThreadTest, FailuresReachEachCallerAndAreCounted) {
  StartAtTheGate();
  log_.answer = absl::UnavailableError("gone");
  Save("a", "1");
  Save("a", "2");
  Save("b", "1");
  Load("c");
  Finish();
  ASSERT_THAT(saved_, SizeIs(4));
  for (size_t i = 1; i < saved_.size(); ++i) EXPECT_EQ(saved_[i], absl::UnavailableError("gone"));
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ(loaded_[0].status, absl::UnavailableError("gone"));
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr("rondo_store_errors_total{op=\"save\"} 2\n"),
                                          HasSubstr("rondo_store_errors_total{op=\"load\"} 1\n"),
                                          HasSubstr("rondo_store_duration_seconds_count{op=\"save\"} 2\n")));
}

TEST_F(StoreThreadTest, ASessionThatHasMovedIsNoErrorOfTheStore) {
  log_.answer = absl::AbortedError("moved");
  Start();
  Save("a", "1");
  Finish();
  EXPECT_THAT(saved_, ElementsAre(absl::AbortedError("moved")));
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("rondo_store_errors_total{op=\"save\"} 0\n"));
}

TEST_F(StoreThreadTest, ALongRowOfSavesIsCutSoThatLoadsGetTheirTurn) {
  StartAtTheGate();
  for (size_t i = 0; i < 2 * StoreThread::kMaxBatch; ++i) Save(absl::StrCat(i), "1");
  thread_->Load({"0", [this](const StoreThread::Loaded&) { Load("late"); }});
  Finish();
  ASSERT_THAT(log_.calls, SizeIs(5));
  EXPECT_THAT(log_.calls[1], HasSubstr("save 0=1 1=1"));
  EXPECT_EQ(log_.calls[2], "load 0");
  EXPECT_THAT(log_.calls[3], HasSubstr("save 1024=1"));
  EXPECT_EQ(log_.calls[4], "load late");
}

TEST_F(StoreThreadTest, FlushReturnsWhenAllBeforeItIsAnswered) {
  Start();
  for (size_t i = 0; i < 3 * StoreThread::kMaxBatch; ++i) Save(absl::StrCat(i), "1");
  Load("0");
  EXPECT_TRUE(thread_->Flush(absl::InfiniteFuture()));
  EXPECT_THAT(saved_, SizeIs(3 * StoreThread::kMaxBatch));
  EXPECT_THAT(loaded_, SizeIs(1));
  EXPECT_TRUE(thread_->Flush(absl::InfiniteFuture()));
}

TEST_F(StoreThreadTest, FlushGivesUpAtItsDeadline) {
  StartAtTheGate();
  EXPECT_FALSE(thread_->Flush(absl::Now()));
  EXPECT_FALSE(thread_->Flush(absl::Now() + absl::Milliseconds(1)));
  gate_.Open();
  EXPECT_TRUE(thread_->Flush(absl::InfiniteFuture()));
}

TEST_F(StoreThreadTest, TheDestructorAlsoDoesWhatAnswersAskFor) {
  StartAtTheGate();
  thread_->Load({"a", [this](const StoreThread::Loaded&) { Save("b", "from the answer"); }});
  Finish();
  EXPECT_THAT(log_.calls, ElementsAre("save first=0", "load a", "save b=from the answer"));
}

TEST_F(StoreThreadTest, WakeBringsATickAndATickMayAskForWork) {
  Gate ticked;
  StoreThread::Options options = Quiet();
  options.tick = [&](absl::Time now) {
    EXPECT_LT(absl::Now() - now, absl::Minutes(1));
    Save("a", "1");
    ticked.Open();
  };
  Start(options);
  thread_->Wake();
  ticked.Pass();
  Finish();
  EXPECT_THAT(log_.calls, ElementsAre("save a=1"));
  EXPECT_EQ(log_.drops, 0);
}

TEST_F(StoreThreadTest, TicksComeByThemselves) {
  std::atomic<int> ticks{0};
  Gate third;
  StoreThread::Options options = Quiet();
  options.tick_interval = absl::Milliseconds(1);
  options.tick = [&](absl::Time) {
    if (++ticks == 3) third.Open();
  };
  Start(options);
  third.Pass();
  Finish();
  EXPECT_EQ(log_.drops, 0) << "expired values have a time of their own";
}

TEST_F(StoreThreadTest, ExpiredValuesAreDroppedWithoutAPauseWhileThereAreMany) {
  std::atomic<int> ticks{0};
  log_.wanted_drops = 1000;
  StoreThread::Options options = Quiet();
  options.tick_interval = options.drop_interval = absl::Milliseconds(5);
  options.tick = [&](absl::Time) { ++ticks; };
  Start(options);
  log_.dropped.Pass();
  Finish();
  EXPECT_LT(ticks, 500) << "as many as drops, if each waited";
}

TEST_F(StoreThreadTest, SavesThatFailedBringATickSoonerThanItWouldComeByItself) {
  Gate ticked;
  log_.answer = absl::UnavailableError("gone");
  Start({[&](absl::Time) { ticked.Open(); }, absl::Hours(1), absl::Milliseconds(1)});
  Save("a", "1");
  ticked.Pass();
  Finish();
  EXPECT_THAT(saved_, ElementsAre(absl::UnavailableError("gone")));
}

TEST_F(StoreThreadTest, ALoadWaitsForAnotherServerForAsLongAsItSays) {
  log_.held = true;
  StoreThread::Options options = Quiet();
  options.drop_interval = absl::Milliseconds(1);  // held loads are asked for again as often
  Start(options);
  Gate answered;
  const auto done = [&](StoreThread::Loaded loaded) {
    loaded_.push_back(std::move(loaded));
    answered.Open();
  };
  Load("patient");
  thread_->Load(
      {"other", done, absl::ZeroDuration(), std::chrono::steady_clock::now() + std::chrono::milliseconds(20)});
  answered.Pass();
  ASSERT_THAT(loaded_, SizeIs(1));
  EXPECT_EQ(loaded_[0].status, absl::UnavailableError("another server has the session"));
  Finish();
  EXPECT_THAT(loaded_, SizeIs(2)) << "at the end nobody waits";
}

TEST_F(StoreThreadTest, ManyThreadsAreAllAnswered) {
  Start({nullptr, absl::Milliseconds(1)});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 500; ++i) {
        Save(absl::StrCat(t, ".", i % 7), absl::StrCat(i));
        Load(absl::StrCat(t, ".", i % 7));
        if (i % 100 == 0) thread_->Wake();
      }
      EXPECT_TRUE(thread_->Flush(absl::InfiniteFuture()));
    });
  }
  for (std::thread& thread : threads) thread.join();
  Finish();
  EXPECT_THAT(saved_, SizeIs(2000));
  EXPECT_THAT(loaded_, SizeIs(2000));
  for (int t = 0; t < 4; ++t) EXPECT_EQ(log_.values[absl::StrCat(t, ".", 499 % 7)], "499");
}

}  // namespace
}  // namespace rondo
