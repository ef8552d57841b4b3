#include "base/intrusive_fifo.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Ticket : FifoLink<Ticket> {
  explicit Ticket(int n) : number(n) {}
  const int number;
};

using Queue = IntrusiveFifo<Ticket>;

std::vector<int> NumbersOf(Queue* queue) {
  std::vector<int> numbers;
  EXPECT_EQ(queue->empty(), queue->size() == 0);
  const size_t size = queue->size();
  while (const Ticket* const ticket = queue->Pop()) numbers.push_back(ticket->number);
  EXPECT_EQ(numbers.size(), size);
  EXPECT_TRUE(queue->empty());
  return numbers;
}

class IntrusiveFifoTest : public ::testing::Test {
 protected:
  void PushAll(Queue* queue) {
    for (Ticket* const ticket : {&one_, &two_, &three_}) queue->Push(ticket);
  }

  Ticket one_{1}, two_{2}, three_{3}, four_{4};
  Queue queue_;
};

TEST_F(IntrusiveFifoTest, ElementsComeOutInTheOrderTheyCame) {
  PushAll(&queue_);
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_THAT(NumbersOf(&queue_), ElementsAre(1, 2, 3));
  EXPECT_EQ(queue_.Pop(), nullptr);
}

TEST_F(IntrusiveFifoTest, AQueueThatWasEmptiedIsAsGoodAsNew) {
  PushAll(&queue_);
  NumbersOf(&queue_);
  queue_.Push(&two_);
  queue_.Push(&one_);
  EXPECT_THAT(NumbersOf(&queue_), ElementsAre(2, 1));
}

TEST_F(IntrusiveFifoTest, APoppedElementMayBeFreedOrPushedAgainAtOnce) {
  auto brief = std::make_unique<Ticket>(9);
  queue_.Push(brief.get());
  PushAll(&queue_);
  EXPECT_EQ(queue_.Pop(), brief.get());
  brief.reset();
  queue_.Push(queue_.Pop());
  EXPECT_THAT(NumbersOf(&queue_), ElementsAre(2, 3, 1));
}

TEST_F(IntrusiveFifoTest, AnElementLeavesFromAnyPlace) {
  struct Case {
    Ticket* removed;
    std::vector<int> left;
  };
  for (const Case& c : {Case{&one_, {2, 3, 4}}, {&two_, {1, 3, 4}}, {&three_, {1, 2, 4}}}) {
    PushAll(&queue_);
    EXPECT_TRUE(queue_.Remove(c.removed));
    EXPECT_FALSE(queue_.Remove(c.removed));
    queue_.Push(&four_);  // finds the end, also when the last one left
    EXPECT_EQ(NumbersOf(&queue_), c.left);
  }
  queue_.Push(&one_);
  EXPECT_TRUE(queue_.Remove(&one_));
  EXPECT_THAT(NumbersOf(&queue_), IsEmpty());
}

TEST_F(IntrusiveFifoTest, AppendMovesAllBehindWhatIsThere) {
  PushAll(&queue_);
  Queue front;
  front.Push(&four_);
  front.Append(&queue_);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.size(), 0u);
  front.Append(&queue_);  // nothing more
  EXPECT_THAT(NumbersOf(&front), ElementsAre(4, 1, 2, 3));
  PushAll(&queue_);
  front.Append(&queue_);  // to an empty one
  EXPECT_THAT(NumbersOf(&front), ElementsAre(1, 2, 3));
}

TEST_F(IntrusiveFifoTest, AMovedQueueLeavesAnEmptyOne) {
  PushAll(&queue_);
  Queue moved = std::move(queue_);
  queue_ = Queue();
  EXPECT_TRUE(queue_.empty());
  moved.Push(&four_);
  EXPECT_THAT(NumbersOf(&moved), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace rondo
