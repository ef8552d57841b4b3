#include "server/metrics/open_metrics.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/metrics/metrics.h"
#include "server/metrics/traced_histogram.h"

namespace rondo {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<uint8_t, 16> kTrace = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                                            0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
const absl::Time kNow = absl::FromUnixMillis(1'700'000'000'250);

struct OvenProbe : Probe {
  Metric<Counter> meals{this, {"rondo_meals_total", R"(Meals "served", by a \.)", {}}};
  Metric<Gauge> heat{this, {"rondo_heat", "Heat.", {}}};
  Metric<TracedHistogram> waits{this, {"rondo_wait_seconds", "Waits.", {}}, Buckets{{500, 10'000}, 1e3}};
};

TEST(OpenMetricsTest, APageIsWrittenAsTheStandardHasIt) {
  OvenProbe oven;
  oven.meals.Add(3);
  oven.heat.Set(-7);
  oven.waits.Observe(500);
  oven.waits.Observe(700, kTrace, kNow);
  oven.waits.Observe(10'001);
  Page page;
  oven.Show({{"model", R"(a"b\)"}}, &page);
  EXPECT_EQ(page.OpenMetrics(), R"(# HELP rondo_meals Meals \"served\", by a \\.
# TYPE rondo_meals counter
rondo_meals_total{model="a\"b\\"} 3
# HELP rondo_heat Heat.
# TYPE rondo_heat gauge
rondo_heat{model="a\"b\\"} -7
# HELP rondo_wait_seconds Waits.
# TYPE rondo_wait_seconds histogram
rondo_wait_seconds_bucket{model="a\"b\\",le="0.5"} 1
rondo_wait_seconds_bucket{model="a\"b\\",le="10.0"} 2 # {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.7 1700000000.250
rondo_wait_seconds_bucket{model="a\"b\\",le="+Inf"} 3
rondo_wait_seconds_count{model="a\"b\\"} 3
rondo_wait_seconds_sum{model="a\"b\\"} 11.201
# EOF
)");
}

TEST(OpenMetricsTest, ABucketShowsItsNewestTrace) {
  OvenProbe oven;
  for (int i = 0; i < 1000; ++i) oven.waits.Observe(501 + i, kTrace, kNow + absl::Seconds(i));
  oven.waits.Observe(20'000, kTrace, kNow);
  Page page;
  oven.Show({}, &page);
  const std::string text = page.OpenMetrics();
  EXPECT_THAT(text, HasSubstr("le=\"0.5\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("le=\"10.0\"} 1000 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 1.5 1700000999.250\n"));
  EXPECT_THAT(text,
              HasSubstr("le=\"+Inf\"} 1001 # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\"} 20 1700000000.250\n"));
  EXPECT_THAT(page.Text(), Not(HasSubstr("trace_id")));  // Prometheus' own format has no place for it
}

TEST(OpenMetricsTest, SeriesOfOneFamilyKeepTheirOwnExemplars) {
  Metrics metrics;
  for (const char* model : {"a", "b", "c"}) {
    metrics.ForModel(model)->requests.durations.Observe(Method::kPredict, absl::StatusCode::kOk, absl::Milliseconds(4),
                                                        absl::string_view(model) == "b" ? &kTrace : nullptr);
  }
  std::vector<std::string> with_exemplar;
  for (const absl::string_view line : absl::StrSplit(metrics.SerializeOpenMetrics(), '\n')) {
    if (absl::StrContains(line, " # {")) with_exemplar.push_back(std::string(line));
  }
  ASSERT_EQ(with_exemplar.size(), 1u);
  EXPECT_THAT(
      with_exemplar[0],
      HasSubstr(R"(rondo_request_duration_seconds_bucket{model="b",method="Predict",code="OK",le="0.005"} 1 # {)"));
}

// Every counter of ours has a name that the standard wants, and every number is the one of Prometheus' own format.
TEST(OpenMetricsTest, TheWholePageSaysWhatPrometheusOwnFormatSays) {
  Metrics metrics;
  metrics.ForModel("m")->loop.ObserveStep(absl::Nanoseconds(2500), 16, 64);
  metrics.sessions()->state_bytes.Set(4096);
  const std::string text = metrics.SerializeOpenMetrics();
  EXPECT_THAT(text, EndsWith("\n# EOF\n"));
  for (const absl::string_view line : absl::StrSplit(metrics.Serialize(), '\n')) {
    if (absl::StartsWith(line, "# TYPE ") && absl::EndsWith(line, " counter")) {
      EXPECT_THAT(std::string(line), EndsWith("_total counter"));
    }
    const bool changes = absl::StartsWith(line, "process_") || absl::StrContains(line, "le=\"");
    if (!changes && !absl::StartsWith(line, "#")) {
      EXPECT_THAT(text, HasSubstr(absl::StrCat(line, "\n")));
    }
  }
}

}  // namespace
}  // namespace rondo
