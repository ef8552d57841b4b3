#include "server/loop/inbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace rondo {
namespace {

class Recorder : public Event {
 public:
  Recorder(std::vector<int>* order, int id) : order_(order), id_(id) {}
  void Proceed(bool ok) override {
    EXPECT_TRUE(ok);
    order_->push_back(id_);
  }

 private:
  std::vector<int>* const order_;
  const int id_;
};

TEST(InboxTest, EventsProceedOnceInTheOrderOfPosting) {
  Inbox inbox;
  std::vector<int> order;
  Recorder a(&order, 1), b(&order, 2);
  EXPECT_TRUE(inbox.Post(&a));
  EXPECT_FALSE(inbox.Post(&b));
  inbox.RunAll();
  inbox.RunAll();
  EXPECT_THAT(order, ::testing::ElementsAre(1, 2));
}

TEST(InboxTest, OnlyThePostThatFindsItEmptyWakesTheLoop) {
  Inbox inbox;
  std::vector<int> order;
  Recorder a(&order, 1);
  EXPECT_TRUE(inbox.Post(&a));
  inbox.RunAll();
  EXPECT_TRUE(inbox.Post(&a));
  inbox.RunAll();
  EXPECT_THAT(order, ::testing::ElementsAre(1, 1));
}

class Reposter : public Event {
 public:
  explicit Reposter(Inbox* inbox) : inbox_(inbox) {}
  void Proceed(bool) override {
    if (++count_ < 3) inbox_->Post(this);
  }
  int count() const { return count_; }

 private:
  Inbox* const inbox_;
  int count_ = 0;
};

TEST(InboxTest, AnEventPostedMeanwhileWaitsForTheNextTurn) {
  Inbox inbox;
  Reposter event(&inbox);
  inbox.Post(&event);
  inbox.RunAll();
  EXPECT_EQ(event.count(), 1);
  inbox.RunAll();
  inbox.RunAll();
  EXPECT_EQ(event.count(), 3);
}

class Count : public Event {
 public:
  explicit Count(int* total) : total_(total) {}
  void Proceed(bool) override { ++*total_; }

 private:
  int* const total_;
};

TEST(InboxTest, NoEventIsLostWhenManyThreadsPost) {
  constexpr int kThreads = 4, kEvents = 2000;
  Inbox inbox;
  int total = 0;
  std::atomic<int> running{kThreads};
  std::vector<std::unique_ptr<Count>> events;
  for (int i = 0; i < kThreads * kEvents; ++i) events.push_back(std::make_unique<Count>(&total));
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEvents; ++i) inbox.Post(events[static_cast<size_t>(t * kEvents + i)].get());
      --running;
    });
  }
  while (running > 0) inbox.RunAll();
  for (std::thread& thread : threads) thread.join();
  inbox.RunAll();
  EXPECT_EQ(total, kThreads * kEvents);
}

}  // namespace
}  // namespace rondo
