#include "model/spec_json.h"

#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/json/json_text.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

constexpr char kWeather[] = R"({"format":1,"cell":"gru","gru":{"reset":"before","update":"replace"},)"
                            R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}],)"
                            R"("calendar":["hour","day_of_year"],)"
                            R"("outputs":[{"name":"temp","mean":0.1,"std":3.1,"added_to":"temp"}],)"
                            R"("horizon":3,"head":"linear","feedback":[{"output":"temp","input":"temp"}],)"
                            R"("step_seconds":86400,"training":{"epochs":7}})";

void ExpectRefused(const std::string& text, const std::string& message) {
  const absl::Status status = ParseSpecJson(text).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
  EXPECT_THAT(std::string(status.message()), HasSubstr(message));
}

// kWeather with one place changed.
void ExpectRefused(const std::string& from, const std::string& to, const std::string& message) {
  const std::string text = absl::StrReplaceAll(kWeather, {{from, to}});
  ASSERT_NE(text, kWeather) << from;
  ExpectRefused(text, message);
}

TEST(SpecJsonTest, ReadsEveryKey) {
  const absl::StatusOr<ModelSpec> spec = ParseSpecJson(kWeather);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->cell, Cell::kGru);
  EXPECT_EQ(spec->gru_reset, GruReset::kBefore);
  EXPECT_EQ(spec->gru_update, GruUpdate::kReplace);
  ASSERT_EQ(spec->inputs.size(), 2u);
  EXPECT_EQ(spec->inputs[0].mean, 16.4);
  EXPECT_EQ(spec->inputs[1].std, 1);
  EXPECT_EQ(spec->calendar, (std::vector<Calendar>{Calendar::kHour, Calendar::kDayOfYear}));
  EXPECT_EQ(spec->outputs[0].added_to, "temp");
  EXPECT_EQ(spec->horizon, 3);
  EXPECT_EQ(spec->feedback[0].input, "temp");
  EXPECT_EQ(spec->step_seconds, 86400);
  EXPECT_EQ(spec->training_json, R"({"epochs":7})");
}

TEST(SpecJsonTest, ReadsWeightsAndKnownAnswers) {
  const std::string keys =
      R"(,"weights":"int8","accuracy":{"inputs":[1,2.5],"times":[-5],"outputs":[1,2,0.1]},"step_seconds":86400)";
  const auto spec = ParseSpecJson(absl::StrReplaceAll(kWeather, {{R"(,"step_seconds":86400)", keys}}));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->weights, WeightFormat::kInt8);
  EXPECT_EQ(spec->accuracy.inputs, (std::vector<float>{1, 2.5f}));
  EXPECT_EQ(spec->accuracy.times, std::vector<int64_t>{-5});
  EXPECT_EQ(spec->accuracy.outputs, (std::vector<float>{1, 2, 0.1f}));
  EXPECT_EQ(SpecJson(*ParseSpecJson(SpecJson(*spec))), SpecJson(*spec));
}

TEST(SpecJsonTest, RefusesWeightsAndKnownAnswersOfAnotherKind) {
  const std::string place = R"("step_seconds":86400)";
  ExpectRefused(place, R"("weights":"int4")", "weights is 'int4'; it must be f32 or bf16 or int8");
  ExpectRefused(place, R"("weights":8)", "weights is a number");
  ExpectRefused(place, R"("accuracy":[1])", "accuracy is an array");
  ExpectRefused(place, R"("accuracy":{})", "accuracy.outputs has no numbers");
  ExpectRefused(place, R"("accuracy":{"outputs":["1"]})", "accuracy.outputs[0] is a string; it must be a number");
  ExpectRefused(place, R"("accuracy":{"outputs":[1e39]})", "accuracy.outputs has 1e+39; it must be finite as a float");
  ExpectRefused(place, R"("accuracy":{"outputs":[1],"times":[0.5]})", "accuracy.times has a number that is no time");
  ExpectRefused(place, R"("accuracy":{"outputs":[1],"times":[1e300]})", "accuracy.times has a number that is no time");
  ExpectRefused(place, R"("accuracy":{"outputs":[1],"bound":1})", "accuracy has the unknown key");
}

TEST(SpecJsonTest, WhatIsWrittenParsesToTheSame) {
  const ModelSpec spec = *ParseSpecJson(kWeather);
  EXPECT_EQ(SpecJson(*ParseSpecJson(SpecJson(spec))), SpecJson(spec));
  EXPECT_EQ(ParseSpecJson(SpecJson(spec))->inputs[0].std, 7.3);
}

TEST(SpecJsonTest, AVocabularyIsTheTextsOfTheTokens) {
  const auto spec = ParseSpecJson(R"({"format":1,"cell":"lstm","inputs":{"tokens":3,"vocabulary":["\n","","é"]},)"
                                  R"("outputs":[{"name":"a"}]})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->vocabulary->texts(), (std::vector<std::string>{"\n", "", "é"}));
  EXPECT_EQ(ParseSpecJson(SpecJson(*spec))->vocabulary->texts(), spec->vocabulary->texts());
}

TEST(SpecJsonTest, WhereATableHasAnInputIsReadAndWritten) {
  const std::string input = R"({"name":"day=fair+2","mean":0.0,"std":1.0,"column":"day","category":"fair","ahead":2})";
  const auto spec = ParseSpecJson(absl::StrReplaceAll(kWeather, {{R"({"name":"wind"})", input}}));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->inputs[1].source.column, "day");
  EXPECT_EQ(spec->inputs[1].source.category, "fair");
  EXPECT_EQ(spec->inputs[1].source.ahead, 2);
  EXPECT_EQ(spec->inputs[0].source.ahead, 0);
  EXPECT_THAT(SpecJson(*spec), HasSubstr(input));
}

TEST(SpecJsonTest, AbsentOptionalKeysHaveTheirDefaults) {
  const auto spec = ParseSpecJson(R"({"format":1,"cell":"lstm","inputs":{"tokens":10},"outputs":[{"name":"a"}]})");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->tokens, 10);
  EXPECT_EQ(spec->horizon, 1);
  EXPECT_EQ(spec->head, Head::kLinear);
  EXPECT_EQ(spec->step_seconds, 0);
  EXPECT_EQ(spec->training_json, "{}");
}

TEST(SpecJsonTest, RequiredKeysAreNotGuessed) {
  ExpectRefused(R"("format":1,)", "", "format is missing");
  ExpectRefused(R"("cell":"gru",)", "", "cell is missing");
  ExpectRefused(R"("gru":{"reset":"before","update":"replace"},)", "", "gru is missing");
  ExpectRefused(R"("reset":"before",)", "", "gru.reset is missing");
  ExpectRefused(R"(,"update":"replace")", "", "gru.update is missing");
  ExpectRefused(R"("cell":"gru","gru":{"reset":"before","update":"replace"})", R"("cell":"rnn")",
                "activation is missing");
  ExpectRefused(R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}],)", "", "inputs is missing");
  ExpectRefused(R"({"name":"wind"})", "{}", "inputs[1].name is missing");
  ExpectRefused(R"(,"input":"temp")", "", "feedback[0].input is missing");
  ExpectRefused(R"("outputs":[{"name":"temp","mean":0.1,"std":3.1,"added_to":"temp"}],)", "", "outputs is missing");
}

TEST(SpecJsonTest, UnknownKeysAreRefusedByName) {
  ExpectRefused(R"("format":1)", R"("format":1,"hidden":4)", "the JSON has the unknown key 'hidden'");
  ExpectRefused(R"("reset":"before")", R"("reset":"before","x":1)", "gru has the unknown key 'x'");
  ExpectRefused(R"({"name":"wind"})", R"({"name":"wind","maen":1})", "inputs[1] has the unknown key 'maen'");
  ExpectRefused(R"("added_to":"temp")", R"("add_to":"temp")", "outputs[0] has the unknown key 'add_to'");
  ExpectRefused(R"("input":"temp")", R"("input":"temp","x":1)", "feedback[0] has the unknown key 'x'");
}

TEST(SpecJsonTest, WrongTypesSayWhatCameAndWhatWasWanted) {
  ExpectRefused("[]", "the JSON is an array; it must be an object");
  ExpectRefused(R"("format":1)", R"("format":"1")", "format is a string; it must be a whole number");
  ExpectRefused(R"("format":1)", R"("format":3)", "format is 3; this version reads 1 and 2");
  ExpectRefused(R"("cell":"gru")", R"("cell":3)", "cell is a number; it must be lstm or gru or rnn");
  ExpectRefused(R"("cell":"gru")", R"("cell":"GRU")", "cell is 'GRU'; it must be lstm or gru or rnn");
  ExpectRefused(R"("reset":"before")", R"("reset":"maybe")", "gru.reset is 'maybe'; it must be before or after");
  ExpectRefused(R"({"reset":"before","update":"replace"})", "null", "gru is null; it must be an object");
  ExpectRefused(R"("mean":16.4)", R"("mean":"16")", "inputs[0].mean is a string; it must be a number");
  ExpectRefused(R"({"name":"wind"})", R"("wind")", "inputs[1] is a string; it must be an object");
  ExpectRefused(R"(["hour","day_of_year"])", R"("hour")", "calendar is a string; it must be an array");
  ExpectRefused(R"("day_of_year")", R"("month")", "calendar[1] is 'month'; it must be hour or weekday or day_of_year");
  ExpectRefused(R"("horizon":3)", R"("horizon":3.5)", "horizon is a number with a fraction or exponent");
  ExpectRefused(R"("horizon":3)", R"("horizon":-3)", "horizon is a negative number; it must be a whole number");
  ExpectRefused(R"("horizon":3)", R"("horizon":9223372036854775808)", "it must be less than 2^63");
  ExpectRefused(R"("step_seconds":86400)", R"("step_seconds":true)", "step_seconds is a boolean");
  ExpectRefused(R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}])", R"("inputs":5)",
                "inputs is a number; it must be an array or");
  ExpectRefused(R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}])", R"("inputs":{"tokens":0})",
                "inputs.tokens is 0; it must be at least 1");
  ExpectRefused(R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}])",
                R"("inputs":{"tokens":2,"vocabulary":["a",7]})",
                "inputs.vocabulary[1] is a number; it must be a string");
  ExpectRefused(R"("inputs":[{"name":"temp","mean":16.4,"std":7.3},{"name":"wind"}])",
                R"("inputs":{"tokens":2,"vocabulary":["a","a"]})", "inputs.vocabulary[1] is 'a'");
}

TEST(SpecJsonTest, WhatAnotherCellTakesIsRefused) {
  ExpectRefused(R"("cell":"gru")", R"("cell":"lstm")", "gru is set; only cell gru takes it");
  ExpectRefused(R"("format":1)", R"("format":1,"activation":"tanh")", "activation is set; only cell rnn takes it");
}

TEST(SpecJsonTest, HeadsThatThisVersionCannotRunAreRefusedByName) {
  ExpectRefused(R"("head":"linear")", R"("head":"mixture")",
                "head is 'mixture'; it must be linear or sigmoid or softmax or gaussian or quantile");
}

TEST(SpecJsonTest, QuantilesAreReadAndWritten) {
  const std::string text =
      absl::StrReplaceAll(kWeather, {{R"("head":"linear")", R"("head":"quantile","quantiles":[0.1,0.5,0.9])"}});
  const auto spec = ParseSpecJson(text);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->head, Head::kQuantile);
  EXPECT_EQ(spec->quantiles, (std::vector<double>{0.1, 0.5, 0.9}));
  EXPECT_EQ(ParseSpecJson(SpecJson(*spec))->quantiles, spec->quantiles);
  ExpectRefused(R"("head":"linear")", R"("head":"quantile","quantiles":["a"])", "quantiles[0] is a string");
}

TEST(SpecJsonTest, TextIsBoundedInLengthAndDepth) {
  ExpectRefused(std::string(kMaxJsonBytes + 1, ' '), "the JSON has 1048577 bytes; at most 1048576");
  ExpectRefused(R"({"epochs":7})", std::string(100, '[') + std::string(100, ']'), "nested deeper than 16");
  ExpectRefused(R"("format":1)", R"("format":1,"format":1)", "has the key 'format' twice");
}

}  // namespace
}  // namespace rondo
