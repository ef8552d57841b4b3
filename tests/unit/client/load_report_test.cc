#include "client/load/load_options.h"
#include "client/load/report.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace rondo::load {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

Measurement Measured(int64_t messages, int64_t latency_nanos) {
  Measurement measurement;
  measurement.elapsed_nanos = 2'000'000'000;
  measurement.messages = messages;
  measurement.steps = messages * 4;
  for (int64_t i = 0; i < messages; ++i) measurement.latency.Record(latency_nanos);
  return measurement;
}

RunReport Report() {
  RunReport report;
  report.options.model = "m";
  report.model.set_name("m");
  report.model.set_cell("lstm");
  report.rondo = Measured(1000, 300'000);
  report.rondo.CountError({0, "RESOURCE_EXHAUSTED", "queue is full"});
  return report;
}

TEST(ReportTest, JsonHasTheContractedFieldsAndNoRatioWithoutAnEcho) {
  const Json json = Json::parse(ReportJson(Report()));
  EXPECT_EQ(json.at("messages_per_second"), 500);
  EXPECT_EQ(json.at("steps_per_second"), 2000);
  for (const char* field : {"p50_seconds", "p90_seconds", "p99_seconds", "p999_seconds"}) {
    EXPECT_NEAR(json.at(field).get<double>(), 300e-6, 3e-6) << field;
  }
  EXPECT_EQ(json.at("errors"), 1);
  EXPECT_EQ(json.at("errors_by_code"), Json({{"RESOURCE_EXHAUSTED", 1}}));
  EXPECT_EQ(json.at("settings").at("streams"), 1);
  EXPECT_EQ(json.at("model").at("cell"), "lstm");
  EXPECT_FALSE(json.contains("echo"));
  EXPECT_FALSE(json.contains("ratio"));
}

TEST(ReportTest, JsonHasEachRoundAndWhenItWas) {
  RunReport report = Report();
  report.rounds = {{absl::FromUnixSeconds(100), Measured(10, 200'000)},
                   {absl::FromUnixSeconds(200), Measured(20, 400'000)}};
  const Json rounds = Json::parse(ReportJson(report)).at("rounds");
  ASSERT_EQ(rounds.size(), 2u);
  EXPECT_EQ(rounds[0].at("from_unix_seconds"), 100);
  EXPECT_EQ(rounds[1].at("messages"), 20);
  EXPECT_NEAR(rounds[1].at("p99_seconds").get<double>(), 400e-6, 4e-6);
}

TEST(ReportTest, JsonComparesWithTheEcho) {
  RunReport report = Report();
  report.options.baseline = Baseline::kEcho;
  report.baseline = Measured(2000, 200'000);
  const Json json = Json::parse(ReportJson(report));
  EXPECT_EQ(json.at("echo").at("messages_per_second"), 1000);
  EXPECT_EQ(json.at("echo").at("errors"), 0);
  EXPECT_EQ(json.at("echo").at("errors_by_code"), Json::object());
  EXPECT_EQ(json.at("ratio").at("throughput"), 0.5);
  EXPECT_NEAR(json.at("ratio").at("p50").get<double>(), 1.5, 0.02);
  EXPECT_NEAR(json.at("ratio").at("p99").get<double>(), 1.5, 0.02);
}

TEST(ReportTest, ARatioToAnEchoThatAnsweredNothingIsNull) {
  RunReport report = Report();
  report.baseline.emplace();
  EXPECT_TRUE(Json::parse(ReportJson(report)).at("ratio").at("throughput").is_null());
}

TEST(ReportTest, TheCreationOfAPoolIsToldApart) {
  RunReport report = Report();
  EXPECT_FALSE(Json::parse(ReportJson(report)).contains("creation"));
  report.options.session_pool = 1'000'000;
  report.creation = Measured(50'000, 4'000'000);
  const Json json = Json::parse(ReportJson(report));
  EXPECT_EQ(json.at("creation").at("seconds"), 2);
  EXPECT_EQ(json.at("creation").at("steps_per_second"), 100'000);
  EXPECT_EQ(json.at("settings").at("session_pool"), 1'000'000);
  EXPECT_THAT(ReportText(report), HasSubstr("1,000,000 sessions created before, 100,000/s, p99 4.00 ms\n"));
}

TEST(ReportTest, TextHasAColumnForEachServerAndTheRatio) {
  RunReport report = Report();
  report.rondo = Measured(200'000, 300'000);
  report.baseline = Measured(400'000, 200'000);
  const std::string text = ReportText(report);
  EXPECT_THAT(text, HasSubstr("messages/s          100,000        200,000     0.50\n"));
  EXPECT_THAT(text, HasSubstr("p99                300.0 us       200.0 us     1.50\n"));
}

TEST(ReportTest, TheNativeBaselineHasItsOwnName) {
  RunReport report = Report();
  report.options.protocol = Protocol::kOpenInference;
  report.options.baseline = Baseline::kNative;
  report.baseline = Measured(2000, 200'000);
  const Json json = Json::parse(ReportJson(report));
  EXPECT_EQ(json.at("native").at("messages_per_second"), 1000);
  EXPECT_EQ(json.at("ratio").at("throughput"), 0.5);
  EXPECT_EQ(json.at("settings").at("protocol"), "open_inference");
  EXPECT_FALSE(json.contains("echo"));
  EXPECT_THAT(ReportText(report), HasSubstr("rondo         native    ratio\n"));
}

TEST(ReportTest, TextSaysWhatFailed) {
  EXPECT_THAT(ReportText(Report()), HasSubstr("rondo errors, RESOURCE_EXHAUSTED: 1\n"
                                              "  the first: RESOURCE_EXHAUSTED: queue is full\n"));
}

TEST(MeasurementTest, ThreadsShareTheirTimeAndRoundsAddTheirs) {
  Measurement parallel = Measured(10, 1000);
  parallel.AddParallel(Measured(20, 1000));
  EXPECT_EQ(parallel.MessagesPerSecond(), 15);
  Measurement later = Measured(10, 1000);
  later.AddLater(Measured(20, 1000));
  EXPECT_EQ(later.MessagesPerSecond(), 7.5);
}

}  // namespace
}  // namespace rondo::load
