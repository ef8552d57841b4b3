#include "server/serve/forecast_path.h"

#include <cmath>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/serve/serve_fixture.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(PathQuantilesTest, AreLinearBetweenTheOrderStatistics) {
  const std::vector<float> a = {4, 10}, b = {1, 10}, c = {2, 40};
  const absl::Span<const float> paths[] = {a, b, c};
  ModelSpec spec;
  std::vector<float> quantiles;
  AppendQuantiles(paths, {0.25, 0.5, 0.75}, spec, 0, 1, &quantiles);
  EXPECT_THAT(quantiles, ElementsAre(1.5, 2, 3));
  AppendQuantiles(paths, {0.25, 0.5, 0.75}, spec, 1, 2, &quantiles);
  EXPECT_THAT(quantiles, ElementsAre(1.5, 2, 3, 10, 10, 25));
}

TEST(PathQuantilesTest, AreMovedAwayFromTheMedianAsTheModelSays) {
  const std::vector<float> a = {4, 10, 1}, b = {1, 10, 2}, c = {2, 40, 3};
  const absl::Span<const float> paths[] = {a, b, c};
  ModelSpec spec;
  spec.outputs.resize(1);
  spec.band_factors = {2, 0.5};  // of the first step, and of those after it
  std::vector<float> quantiles;
  AppendQuantiles(paths, {0.25, 0.5, 0.75}, spec, 0, 3, &quantiles);
  EXPECT_THAT(quantiles, ElementsAre(1, 2, 4, 10, 10, 17.5, 1.75, 2, 2.25));
}

class ForecastPathTest : public ServeFixture, public ForecastPath::Owner {
 protected:
  void OnPathDone(const absl::Status& status) override { done_.push_back(status); }

  // A path of `model` from the state `sum`, as after an output of the same number.
  std::unique_ptr<ForecastPath> Path(const std::string& model, float sum, std::optional<uint64_t> seed = std::nullopt,
                                     int64_t horizon = 4) {
    const ServedModelPtr served = *registry_->Find(model, 0);
    ForecastView request;
    request.horizon = horizon;
    SessionLease scratch = sessions_.AcquireStateless(served);
    scratch.state()[0] = sum;
    const std::vector<float> given(static_cast<size_t>(served->spec().output_size()), sum);
    plans_.push_back(*ForecastPlan::Make(request, *served->model, std::nullopt));
    return std::make_unique<ForecastPath>(&plans_.back(), std::move(scratch), given, seed, this);
  }
  void Finish(ForecastPath* path) {
    ASSERT_TRUE(path->Start(&engine_, nullptr, now_, absl::InfiniteFuture()).ok());
    RunUntilIdle();
  }
  absl::Status Check(const ForecastView& request, const std::string& model) {
    return CheckPaths(request, *(*registry_->Find(model, 0))->model, 1000);
  }

  std::deque<ForecastPlan> plans_;
  std::vector<absl::Status> done_;
};

TEST_F(ForecastPathTest, EachOutputIsTheNextInput) {
  const auto path = Path("sum", 3);
  Finish(path.get());
  EXPECT_THAT(done_, ElementsAre(absl::OkStatus()));
  EXPECT_THAT(path->values(), ElementsAre(3, 6, 12, 24));
}

TEST_F(ForecastPathTest, AHorizonOfOneIsTheGivenOutputAtOnce) {
  const auto path = Path("sum", 3, std::nullopt, 1);
  ASSERT_TRUE(path->Start(&engine_, nullptr, now_, absl::InfiniteFuture()).ok());
  EXPECT_THAT(done_, ElementsAre(absl::OkStatus()));
  EXPECT_THAT(path->values(), ElementsAre(3));
}

TEST_F(ForecastPathTest, AMeanIsFedBackUnlessThePathSamples) {
  const auto means = Path("gaussian", 3);
  Finish(means.get());
  ASSERT_THAT(means->values(), SizeIs(8));  // a mean and a deviation each
  for (size_t row = 0; row < 4; ++row) EXPECT_EQ(means->values()[2 * row], 3 * std::pow(2.0f, row));
  const auto first = Path("gaussian", 3, 7), again = Path("gaussian", 3, 7), other = Path("gaussian", 3, 8);
  for (ForecastPath* const path : {first.get(), again.get(), other.get()}) Finish(path);
  ASSERT_THAT(first->values(), SizeIs(4));
  EXPECT_EQ(first->values(), again->values());
  EXPECT_NE(first->values(), other->values());
}

TEST_F(ForecastPathTest, ACancelledPathEndsSoon) {
  const auto path = Path("sum", 3);
  ASSERT_TRUE(path->Start(&engine_, nullptr, now_, absl::InfiniteFuture()).ok());
  engine_.RunBatch();
  path->Cancel();
  RunUntilIdle();
  ASSERT_EQ(done_.size(), 1u);
  EXPECT_TRUE(absl::IsCancelled(done_[0]));
}

TEST_F(ForecastPathTest, OnlyAGaussianHeadSamples) {
  ForecastView request;
  request.horizon = 1;
  request.num_paths = 2;
  EXPECT_TRUE(Check(request, "gaussian").ok());
  EXPECT_EQ(RefusalOf(Check(request, "sum")).why, Why::kPosition);
}

TEST_F(ForecastPathTest, PathsAreTwoToAThousandAndQuantilesAscend) {
  ForecastView request;
  request.horizon = 1;
  for (const int64_t bad : {-1, 1, 1001}) {
    request.num_paths = bad;
    EXPECT_THAT(std::string(Check(request, "gaussian").message()), HasSubstr("wanted 2 to 1000"));
  }
  request.num_paths = 2;
  for (const std::vector<double>& bad : std::vector<std::vector<double>>{{0}, {1}, {0.5, 0.5}, {0.5, 0.4}}) {
    request.path_quantiles = bad;
    EXPECT_THAT(std::string(Check(request, "gaussian").message()), HasSubstr("wanted ascending numbers inside (0, 1)"));
  }
}

TEST_F(ForecastPathTest, ItsReplyIsBounded) {
  ForecastView request;
  request.horizon = 250;
  EXPECT_TRUE(Check(request, "sum").ok());  // 1000 bytes
  request.horizon = 251;
  EXPECT_THAT(std::string(Check(request, "sum").message()), HasSubstr("a reply of 1004 bytes, at most 1000"));
}

TEST_F(ForecastPathTest, ItsCostIsKnownBeforeItRuns) {
  const ModelSpec& spec = (*registry_->Find("gaussian", 0))->spec();
  ForecastView request;
  request.horizon = 7000;
  request.num_paths = 1000;
  const Work work = WorkOfPaths(request, spec, 6999);
  EXPECT_EQ(work.steps, 6'999'000u);
  EXPECT_GE(work.bytes, 28'000'000u);  // a number a step: what the quantiles are taken from
  EXPECT_LE(work.bytes, 33'000'000u);
}

}  // namespace
}  // namespace rondo
