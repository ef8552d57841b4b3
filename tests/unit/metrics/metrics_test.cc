#include "server/metrics/metrics.h"

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What `promtool check metrics` says of the page; empty: nothing to complain of.
std::string Lint(const std::string& page) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("page", page);
  FILE* pipe = popen(absl::StrCat("promtool check metrics <'", path, "' 2>&1").c_str(), "r");
  std::string complaints;
  char buffer[4096];
  while (const size_t size = fread(buffer, 1, sizeof(buffer), pipe)) complaints.append(buffer, size);
  const int status = pclose(pipe);
  if (status != 0)
    absl::StrAppend(&complaints, "promtool (Debian package prometheus) ended with ", WEXITSTATUS(status));
  return complaints;
}

// One of everything.
void Fill(Metrics* metrics, absl::string_view model) {
  ModelMetrics* counts = metrics->ForModel(model);
  counts->requests.durations.Observe(Method::kPredict, absl::StatusCode::kOk, absl::Microseconds(120));
  counts->requests.durations.Observe(Method::kForecast, absl::StatusCode::kNotFound, absl::Seconds(100));
  counts->loop.ObserveQueue(absl::Microseconds(3), 4);
  counts->loop.ObserveStep(absl::Nanoseconds(2500), 16, 64);
  counts->sessions.live.Add(8);
  counts->sessions.Ended(SessionEvent::kExpired);
  counts->registry.load.Observe(Nanoseconds(absl::Milliseconds(40)));
  metrics->registry()->live.Replace(
      {{{std::string(model), 3}, {1, {"lstm", "onednn/brgemm:avx512_core", "f32", "false"}}}});
  metrics->requests()->rejected[Why::kQueueFull].Add();
  metrics->requests()->in_flight.Add(2);
  metrics->ForLoop(0)->busy.AddNanoseconds(1'500'000'000);
  metrics->ForLoop(0)->queued.Set(5);
  metrics->sessions()->state_bytes.Set(4096);
  metrics->store()->Observe(StoreOperation::kSave, absl::Milliseconds(2), 3, /*answered=*/false);
}

TEST(MetricsTest, PageSaysWhatWasCounted) {
  Metrics metrics;
  Fill(&metrics, "weather");
  const std::string page = metrics.Serialize();
  for (
      const char* line : {
          R"(rondo_request_duration_seconds_count{model="weather",method="Predict",code="OK"} 1)",
          R"(rondo_request_duration_seconds_bucket{model="weather",method="Predict",code="OK",le="0.0001"} 0)",
          R"(rondo_request_duration_seconds_bucket{model="weather",method="Predict",code="OK",le="0.00015"} 1)",
          R"(rondo_request_duration_seconds_bucket{model="weather",method="Forecast",code="NOT_FOUND",le="10"} 0)",
          R"(rondo_request_duration_seconds_bucket{model="weather",method="Forecast",code="NOT_FOUND",le="+Inf"} 1)",
          R"(rondo_request_duration_seconds_count{model="weather",method="StreamPredict",code="OK"} 0)",
          R"(rondo_queue_duration_seconds_sum{model="weather"} 1.2e-05)",
          R"(rondo_queue_duration_seconds_count{model="weather"} 4)",
          R"(rondo_step_duration_seconds_sum{model="weather"} 2.5e-06)",
          R"(rondo_batch_size_bucket{model="weather",le="12"} 0)",
          R"(rondo_batch_size_bucket{model="weather",le="16"} 1)",
          R"(rondo_steps_total{model="weather"} 16)",
          R"(rondo_batch_size_limit{model="weather"} 64)",
          R"(rondo_loop_busy_seconds_total{loop="0"} 1.5)",
          R"(rondo_queued_sequences{loop="0"} 5)",
          R"(rondo_store_up 0)",
          R"(rondo_sessions{model="weather"} 7)",
          R"(rondo_session_events_total{model="weather",event="created"} 0)",
          R"(rondo_session_events_total{model="weather",event="expired"} 1)",
          R"(rondo_model_load_duration_seconds_sum{model="weather"} 0.04)",
          R"(rondo_model_info{model="weather",version="3",cell="lstm",kernel="onednn/brgemm:avx512_core",dtype="f32",deterministic="false"} 1)",
          R"(rondo_rejected_total{reason="queue_full"} 1)",
          R"(rondo_rejected_total{reason="draining"} 0)",
          R"(rondo_requests_in_flight 2)",
          R"(rondo_session_state_bytes 4096)",
          R"(rondo_store_duration_seconds_bucket{op="save",le="0.0015"} 0)",
          R"(rondo_store_duration_seconds_bucket{op="save",le="0.002"} 1)",
          R"(rondo_store_duration_seconds_count{op="load"} 0)",
          R"(rondo_store_errors_total{op="save"} 3)",
          R"(rondo_store_errors_total{op="load"} 0)",
          R"(rondo_build_info{version=")",
      }) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("\n", line)));
  }
}

TEST(MetricsTest, ProcessNumbersAreThoseOfThisProcess) {
  const std::string page = Metrics().Serialize();
  for (const char* name :
       {"process_cpu_seconds_total", "process_start_time_seconds", "process_threads", "process_virtual_memory_bytes",
        "process_resident_memory_bytes", "process_open_fds", "process_max_fds"}) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("\n", name, " "))) << name;
  }
  for (const char* name :
       {"process_start_time_seconds", "process_threads", "process_resident_memory_bytes", "process_open_fds"}) {
    EXPECT_THAT(page, Not(HasSubstr(absl::StrCat("\n", name, " 0\n")))) << name;
  }
}

TEST(MetricsTest, PromtoolFindsNothingToComplainOf) {
  Metrics metrics;
  EXPECT_THAT(Lint(metrics.Serialize()), IsEmpty());
  Fill(&metrics, "weather");
  Fill(&metrics, "energy");
  EXPECT_THAT(Lint(metrics.Serialize()), IsEmpty());
}

TEST(MetricsTest, HostileModelNamesCannotBreakThePage) {
  Metrics metrics;
  const std::vector<std::string> names = {
      "a\"} 1\nforged_total 9\n#", "back\\slash",     "\xff\xfe not utf8", "", "new\nline",
      std::string("nul\0byte", 8), "\xf0\x9f\x98\x80"};
  for (const std::string& name : names) Fill(&metrics, name);
  const std::string page = metrics.Serialize();
  EXPECT_THAT(Lint(page), IsEmpty());
  EXPECT_THAT(page, Not(HasSubstr("\nforged_total")));
  for (const unsigned char c : page) ASSERT_TRUE(c == '\n' || (c >= ' ' && c < 0x7f)) << static_cast<int>(c);
}

TEST(MetricsTest, ModelInfoIsReplacedAndRemoved) {
  Metrics metrics;
  metrics.registry()->live.Replace({{{"m", 1}, {1, {"gru", "reference", "f32"}}}});
  metrics.registry()->live.Replace({{{"m", 1}, {1, {"rnn", "reference", "f32"}}}});
  EXPECT_THAT(metrics.Serialize(), AllOf(HasSubstr("cell=\"rnn\""), Not(HasSubstr("cell=\"gru\""))));
  metrics.registry()->live.Replace({});
  EXPECT_THAT(metrics.Serialize(), Not(HasSubstr("rondo_model_info")));
}

TEST(MetricsTest, NegativeDurationsAndUnknownCodesAreStillCounted) {
  Metrics metrics;
  metrics.ForModel("m")->requests.durations.Observe(Method::kPredict, static_cast<absl::StatusCode>(99),
                                                    absl::Seconds(-1));
  EXPECT_THAT(metrics.Serialize(),
              HasSubstr(R"(rondo_request_duration_seconds_sum{model="m",method="Predict",code="UNKNOWN"} 0)"));
}

TEST(MetricsTest, CountsFromManyThreadsAddUpWhileThePageIsRead) {
  Metrics metrics;
  constexpr int kThreads = 4;
  constexpr int kEach = 2000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&metrics] {
      ModelMetrics* model = metrics.ForModel("m");
      for (int i = 0; i < kEach; ++i) {
        model->requests.durations.Observe(Method::kStreamPredict, static_cast<absl::StatusCode>(i % 17),
                                          absl::Microseconds(i));
        model->loop.ObserveStep(absl::Microseconds(2), 3, 64);
        metrics.requests()->rejected[Why::kDeadline].Add();
      }
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics.Serialize().empty());
  for (std::thread& thread : threads) thread.join();
  const std::string page = metrics.Serialize();
  EXPECT_THAT(page, HasSubstr(absl::StrCat("rondo_steps_total{model=\"m\"} ", 3 * kThreads * kEach, "\n")));
  EXPECT_THAT(page, HasSubstr(absl::StrCat("rondo_rejected_total{reason=\"deadline\"} ", kThreads * kEach, "\n")));
  int64_t requests = 0;
  for (absl::string_view line : absl::StrSplit(page, '\n')) {
    int64_t count = 0;
    if (absl::StartsWith(line, "rondo_request_duration_seconds_count{") &&
        absl::SimpleAtoi(line.substr(line.rfind(' ') + 1), &count)) {
      requests += count;
    }
  }
  EXPECT_EQ(requests, kThreads * kEach);
}

TEST(MetricsTest, TotalsOfAModelLeaveForecastsOut) {
  ModelMetrics metrics;
  metrics.requests.durations.Observe(Method::kPredict, absl::StatusCode::kOk, absl::Nanoseconds(10));
  metrics.requests.durations.Observe(Method::kModelInfer, absl::StatusCode::kAborted, absl::Nanoseconds(20));
  metrics.requests.durations.Observe(Method::kForecast, absl::StatusCode::kOk, absl::Nanoseconds(40));
  metrics.loop.ObserveStep(absl::Nanoseconds(5), 3, 64);
  const ModelTotals totals = metrics.Totals();
  EXPECT_EQ(totals.succeeded.count, 1u);
  EXPECT_EQ(totals.succeeded.nanoseconds, 10u);
  EXPECT_EQ(totals.failed.count, 1u);
  EXPECT_EQ(totals.failed.nanoseconds, 20u);
  EXPECT_EQ(totals.compute.count, 3u);
  EXPECT_EQ(totals.compute.nanoseconds, 15u);
  EXPECT_EQ(totals.batches, 1u);
}

// A probe of this test alone, as a part would write it.
struct KitchenProbe : Probe {
  Metric<Counter> meals{this, {"kitchen_meals_total", "Meals served."}};
  Metric<PerLabel<Gauge, StoreOperation>> pots{this, {"kitchen_pots", "Pots in use.", {"stove"}}};
};

TEST(ProbeTest, AFamilyIsShownBecauseItIsAMember) {
  KitchenProbe north, south;
  north.meals.Add(3);
  south.pots[StoreOperation::kSave].Set(-1);
  Page page;
  north.Show({{"site", "north"}}, &page);
  south.Show({{"site", "south"}}, &page);
  EXPECT_EQ(page.Text(),
            "# HELP kitchen_meals_total Meals served.\n"
            "# TYPE kitchen_meals_total counter\n"
            "kitchen_meals_total{site=\"north\"} 3\n"
            "kitchen_meals_total{site=\"south\"} 0\n"
            "# HELP kitchen_pots Pots in use.\n"
            "# TYPE kitchen_pots gauge\n"
            "kitchen_pots{site=\"north\",stove=\"load\"} 0\n"
            "kitchen_pots{site=\"north\",stove=\"save\"} 0\n"
            "kitchen_pots{site=\"north\",stove=\"scan\"} 0\n"
            "kitchen_pots{site=\"south\",stove=\"load\"} 0\n"
            "kitchen_pots{site=\"south\",stove=\"save\"} -1\n"
            "kitchen_pots{site=\"south\",stove=\"scan\"} 0\n");
}

}  // namespace
}  // namespace rondo
