#include "client/unsaved_steps.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SequenceInput At(int64_t position, std::vector<float> values, std::vector<int64_t> times = {}) {
  SequenceInput sequence;
  sequence.position = position;
  sequence.values = std::move(values);
  sequence.times = std::move(times);
  return sequence;
}

TEST(UnsavedStepsTest, GivesTimestepsFromAnyPosition) {
  UnsavedSteps steps(1000);
  steps.Add(At(5, {1, 2}, {10}), 6);
  steps.Add(At(6, {3, 4, 5, 6}, {11, 12}), 8);
  const SequenceInput all = steps.From(5, 100);
  EXPECT_EQ(all.position, 5);
  EXPECT_THAT(all.values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(all.times, ElementsAre(10, 11, 12));
  const SequenceInput middle = steps.From(6, 1);
  EXPECT_EQ(middle.position, 6);
  EXPECT_THAT(middle.values, ElementsAre(3, 4));
  EXPECT_FALSE(steps.Reaches(4));
  EXPECT_FALSE(steps.Reaches(8));
}

TEST(UnsavedStepsTest, WhatIsSavedIsDropped) {
  UnsavedSteps steps(1000);
  for (int i = 0; i < 100; ++i) {
    steps.Add(At(i, {static_cast<float>(i)}), i + 1);
    steps.DropBefore(i - 2);
    EXPECT_FALSE(steps.Reaches(i - 3));
    EXPECT_THAT(steps.From(i, 10).values, ElementsAre(i));
  }
  steps.DropBefore(100);
  EXPECT_FALSE(steps.Reaches(99));
}

TEST(UnsavedStepsTest, TheOldestGoFirst) {
  UnsavedSteps steps(3 * sizeof(float));
  steps.Add(At(0, {1, 2, 3, 4, 5}), 5);
  EXPECT_FALSE(steps.Reaches(1));
  EXPECT_THAT(steps.From(2, 10).values, ElementsAre(3, 4, 5));
  UnsavedSteps none(0);
  none.Add(At(0, {1}), 1);
  EXPECT_FALSE(none.Reaches(0));
}

TEST(UnsavedStepsTest, AGapOrAnotherShapeStartsAnew) {
  UnsavedSteps steps(1000);
  steps.Add(At(0, {1}), 1);
  steps.Add(At(2, {3}), 3);
  EXPECT_FALSE(steps.Reaches(0));
  EXPECT_TRUE(steps.Reaches(2));
  steps.Add(At(3, {4}, {40}), 4);
  EXPECT_FALSE(steps.Reaches(2));
  EXPECT_THAT(steps.From(3, 10).times, ElementsAre(40));
  steps.Add(At(4, {5}), 5);
  EXPECT_THAT(steps.From(4, 10).times, IsEmpty());
}

}  // namespace
}  // namespace rondo
