#include "model/model_spec.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

ModelSpec Weather() {
  ModelSpec spec;
  spec.num_layers = 2;
  spec.hidden_size = 8;
  spec.inputs = {{"temp", 16.4, 7.3}, {"wind", 3, 1.5}};
  spec.calendar = {Calendar::kHour, Calendar::kDayOfYear};
  spec.outputs = {{"temp", 0.1, 3.1, "temp"}};
  spec.horizon = 3;
  spec.feedback = {{"temp", "temp"}};
  spec.step_seconds = 86400;
  return spec;
}

ModelSpec Text() {
  ModelSpec spec;
  spec.num_layers = 1;
  spec.hidden_size = 8;
  spec.tokens = 100;
  spec.embedding_size = 5;
  spec.outputs = {{"a"}, {"b"}};
  spec.head = Head::kSoftmax;
  return spec;
}

void ExpectRefused(ModelSpec spec, const std::function<void(ModelSpec&)>& change, const std::string& message) {
  ASSERT_TRUE(spec.Validate().ok()) << spec.Validate();
  change(spec);
  const absl::Status status = spec.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

TEST(ModelSpecTest, SizesFollowFromInputsCalendarHorizonAndCell) {
  ModelSpec spec = Weather();
  EXPECT_EQ(spec.input_size(), 2);
  EXPECT_EQ(spec.feature_size(), 6);
  EXPECT_EQ(spec.output_size(), 3);
  EXPECT_EQ(spec.state_size(), 2 * 8 * 2);
  EXPECT_TRUE(spec.needs_times());
  spec.cell = Cell::kGru;
  EXPECT_EQ(spec.state_size(), 2 * 8);
}

TEST(ModelSpecTest, ATokenModelTakesOneIdAndSeesTheEmbedding) {
  EXPECT_EQ(Text().input_size(), 1);
  EXPECT_EQ(Text().feature_size(), 5);
  EXPECT_FALSE(Text().needs_times());
}

TEST(ModelSpecTest, ADistributionHasSeveralValuesAnOutput) {
  ModelSpec spec = Weather();
  spec.head = Head::kGaussian;
  EXPECT_EQ(spec.output_size(), 3 * 2);
  EXPECT_TRUE(spec.Validate().ok());
  spec.head = Head::kQuantile;
  spec.quantiles = {0.1, 0.5, 0.9};
  EXPECT_EQ(spec.output_size(), 3 * 3);
  ExpectRefused(
      spec,
      [](ModelSpec& s) {
        s.quantiles = {0.5, 0.5};
      },
      "quantiles has 0.5 after 0.5");
  ExpectRefused(
      spec,
      [](ModelSpec& s) {
        s.quantiles = {0.5, 1};
      },
      "quantiles has 1 after 0.5");
  ExpectRefused(
      spec, [](ModelSpec& s) { s.quantiles.clear(); }, "the number of quantiles is 0; it must be 1 to 99");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.quantiles = {0.5}; }, "only head quantile takes it, and this is linear");
  ExpectRefused(
      spec, [](ModelSpec& s) { s.horizon = 400000; }, "values per output is 3; it must be 1 to 2");
}

TEST(ModelSpecTest, BoundsAreRefusedWithTheValueAndTheRange) {
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.num_layers = 0; }, "num_layers is 0; it must be 1 to 16");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.num_layers = 17; }, "num_layers is 17");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.hidden_size = 16385; }, "hidden_size is 16385; it must be 1 to 16384");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.hidden_size = -1; }, "hidden_size is -1");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.horizon = 0; }, "horizon is 0");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.horizon = (1 << 20) + 1; }, "horizon is 1048577");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.horizon = std::numeric_limits<int64_t>::max(); }, "horizon is");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.outputs.clear(); }, "the number of outputs is 0");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.inputs.clear(); }, "the number of inputs is 0");
  ExpectRefused(
      Text(), [](ModelSpec& s) { s.tokens = (1 << 24) + 1; }, "tokens is 16777217");
  ExpectRefused(
      Text(), [](ModelSpec& s) { s.tokens = -1; }, "tokens is -1");
  ExpectRefused(
      Text(),
      [](ModelSpec& s) {
        s.vocabulary = *Vocabulary::Create({"a", "b"});
      },
      "vocabulary has 2 texts; tokens is");
  ExpectRefused(
      Text(), [](ModelSpec& s) { s.embedding_size = 0; }, "embedding_size is 0");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.step_seconds = -1; }, "step_seconds is -1");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.step_seconds = std::nan(""); }, "step_seconds is nan");
}

TEST(ModelSpecTest, NamesArePresentUniqueAndPrintable) {
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.inputs[1].name = ""; }, "inputs[1].name is empty");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.inputs[1].name = "temp"; }, "inputs[1].name is 'temp', used before");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.inputs[1].name = std::string(129, 'a'); }, "has 129 bytes");
  for (const char* name :
       {"a\nb", "\x7f", "\x80", "\xc0\x80", "\xc2\x9f", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    ExpectRefused(
        Weather(), [&](ModelSpec& s) { s.inputs[1].name = name; }, "it must be printable UTF-8");
  }
  for (const char* name : {"wind speed [m/s]", "\u00b0C", "\u6e29\u5ea6", "\U0001F321"}) {
    ModelSpec spec = Weather();
    spec.inputs[1].name = name;
    EXPECT_TRUE(spec.Validate().ok()) << name;
  }
}

TEST(ModelSpecTest, MeanAndStdAreFiniteAndStdIsPositive) {
  const double infinity = std::numeric_limits<double>::infinity();
  ExpectRefused(
      Weather(), [&](ModelSpec& s) { s.inputs[0].mean = infinity; }, "inputs[0].mean is inf");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.inputs[0].mean = std::nan(""); }, "inputs[0].mean is nan");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.outputs[0].std = 0; }, "outputs[0].std is 0");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.outputs[0].std = -1; }, "outputs[0].std is -1");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.outputs[0].std = 1e-40; }, "outputs[0].std is 1e-40");
}

TEST(ModelSpecTest, LinksNameWhatExists) {
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.outputs[0].added_to = "x"; }, "outputs[0].added_to is 'x'; no input");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.feedback[0].output = "x"; }, "feedback[0].output is 'x'; no output");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.feedback[0].input = "x"; }, "feedback[0].input is 'x'; no input");
  ExpectRefused(
      Weather(),
      [](ModelSpec& s) {
        s.feedback.push_back({"temp", "temp"});
      },
      "the input 'temp' twice");
}

TEST(ModelSpecTest, WhatDoesNotBelongTogetherIsRefused) {
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.activation = Activation::kRelu; }, "activation is relu");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.calendar.push_back(Calendar::kHour); }, "calendar has an entry twice");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.embedding_size = 4; }, "only a token model has one");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.tokens = 4; }, "a model takes one of them");
  ExpectRefused(
      Text(), [](ModelSpec& s) { s.calendar = {Calendar::kHour}; }, "a token model takes none");
  ExpectRefused(
      Text(), [](ModelSpec& s) { s.outputs[1].mean = 2; }, "outputs[1] has mean, std or added_to");
}

TEST(ModelSpecTest, TrainingIsABoundedJsonObject) {
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.training_json = "[]"; }, "training is an array");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.training_json = "{"; }, "training: not JSON");
  ExpectRefused(
      Weather(), [](ModelSpec& s) { s.training_json = ""; }, "training: not JSON");
}

}  // namespace
}  // namespace rondo
