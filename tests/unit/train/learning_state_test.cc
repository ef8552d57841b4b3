#include "model/train/learning_state.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LearningState StateWith(std::vector<float> parameters) {
  LearningState state;
  state.parameters = std::move(parameters);
  state.best_loss = std::numeric_limits<double>::infinity();
  return state;
}

TEST(LearningStateTest, KeepsTheParametersOfTheBestEpoch) {
  LearningRate::Options halved;
  halved.decay = Decay::kPlateau;
  halved.plateau_patience = 1;
  LearningRate rate(halved);
  LearningState state = StateWith({0});
  for (const double loss : {3.0, 2.0, 2.5}) {
    state.parameters[0] = static_cast<float>(loss);
    state.step_in_epoch = 7;
    state.loss_sum = 1;
    ASSERT_TRUE(state.EndEpoch(10 * loss, loss, &rate).ok());
    EXPECT_EQ(state.step_in_epoch, 0);
    EXPECT_EQ(state.loss_sum, 0);
  }
  EXPECT_EQ(state.epoch, 3);
  EXPECT_EQ(state.best_epoch, 2);
  EXPECT_EQ(state.best_loss, 2.0);
  EXPECT_THAT(state.best_parameters, ElementsAre(2.0f));
  EXPECT_THAT(state.training_losses, ElementsAre(30, 20, 25));
  EXPECT_THAT(state.validation_losses, ElementsAre(3, 2, 2.5));
  EXPECT_EQ(state.rate.plateau_factor, rate.state().plateau_factor);
  EXPECT_LT(state.rate.plateau_factor, 1);  // an epoch without a gain
}

TEST(LearningStateTest, SaysThatAValidationLossIsNotFinite) {
  LearningRate rate({});
  LearningState state = StateWith({1});
  ASSERT_TRUE(state.EndEpoch(1, 1, &rate).ok());
  for (const double loss : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    state.parameters[0] = 5;
    const absl::Status status = state.EndEpoch(1, loss, &rate);
    EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("the validation loss is "));
    EXPECT_THAT(std::string(status.message()), HasSubstr("a smaller --learning_rate helps"));
    EXPECT_THAT(state.best_parameters, ElementsAre(1.0f));
    EXPECT_THAT(state.validation_losses, ElementsAre(1));
  }
}

}  // namespace
}  // namespace rondo::train
