// Which models may go on with the state of another, live or recorded.

#include "server/registry/adopt_sessions.h"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/registry/find_recorded_model.h"
#include "server/store/recorded_model.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

using Change = std::function<void(ModelSpec*)>;

bool SameShapeAfter(ModelSpec spec, const Change& change) {
  const ModelSpec before = spec;
  change(&spec);
  EXPECT_EQ(SameShape(before, spec), SameShape(spec, before));
  return SameShape(before, spec);
}

TEST(SameShapeTest, WhatAnotherTrainingChangesIsFree) {
  const std::vector<std::pair<std::string, Change>> changes = {
      {"nothing", [](ModelSpec*) {}},
      {"means", [](ModelSpec* spec) { spec->inputs[0].mean += 1; }},
      {"deviations", [](ModelSpec* spec) { spec->outputs[0].std += 1; }},
      {"what outputs are added to", [](ModelSpec* spec) { spec->outputs[0].added_to.clear(); }},
      {"feedback", [](ModelSpec* spec) { spec->feedback.clear(); }},
      {"step_seconds", [](ModelSpec* spec) { spec->step_seconds = 0; }},
      {"training", [](ModelSpec* spec) { spec->training_json = "{}"; }},
  };
  for (const auto& [what, change] : changes) {
    EXPECT_TRUE(SameShapeAfter(WeatherModel(Cell::kLstm, 1).spec, change)) << what;
  }
}

TEST(SameShapeTest, WhatTheStateOrTheCallerDependsOnIsNot) {
  const std::vector<std::pair<std::string, Change>> changes = {
      {"cell", [](ModelSpec* spec) { spec->cell = Cell::kRnn; }},
      {"reset gate", [](ModelSpec* spec) { spec->gru_reset = GruReset::kBefore; }},
      {"update gate", [](ModelSpec* spec) { spec->gru_update = GruUpdate::kReplace; }},
      {"activation", [](ModelSpec* spec) { spec->activation = Activation::kRelu; }},
      {"num_layers", [](ModelSpec* spec) { ++spec->num_layers; }},
      {"hidden_size", [](ModelSpec* spec) { ++spec->hidden_size; }},
      {"order of the inputs", [](ModelSpec* spec) { std::swap(spec->inputs[0], spec->inputs[1]); }},
      {"one input more",
       [](ModelSpec* spec) {
         spec->inputs.push_back({"rain", 0, 1});
       }},
      {"times", [](ModelSpec* spec) { spec->calendar.clear(); }},
      {"calendar", [](ModelSpec* spec) { spec->calendar[0] = Calendar::kWeekday; }},
      {"an output's name", [](ModelSpec* spec) { spec->outputs[0].name = "wind"; }},
      {"horizon", [](ModelSpec* spec) { ++spec->horizon; }},
      {"head", [](ModelSpec* spec) { spec->head = Head::kGaussian; }},
      {"quantiles", [](ModelSpec* spec) { spec->quantiles = {0.5}; }},
  };
  for (const auto& [what, change] : changes) {
    EXPECT_FALSE(SameShapeAfter(WeatherModel(Cell::kGru, 2).spec, change)) << what;
  }
  EXPECT_FALSE(SameShapeAfter(TokenModel(Cell::kLstm).spec, [](ModelSpec* spec) { ++spec->tokens; }));
  EXPECT_FALSE(SameShapeAfter(TokenModel(Cell::kLstm).spec, [](ModelSpec* spec) { ++spec->embedding_size; }));
}

// A repository of versions of "weather".
class AdoptSessionsTest : public testing::Test {
 protected:
  AdoptSessionsTest() {
    testing::internal::CaptureStderr();
    Put(1, Weather());
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    registry_ = ModelRegistry::Open(options, &metrics_).value();
    first_ = registry_->Find("weather", 1).value();
  }
  ~AdoptSessionsTest() override { testing::internal::GetCapturedStderr(); }

  static ModelFile Weather(float bias = 0) {
    ModelFile model = WeatherModel(Cell::kLstm, 1);
    model.weights.head_bias[0] += bias;
    return model;
  }
  static ModelFile Turned() {
    ModelFile model = Weather(2);
    std::swap(model.spec.inputs[0], model.spec.inputs[1]);
    return model;
  }
  void Put(int version, const ModelFile& model) {
    const fs::path folder = root_ / "weather" / absl::StrCat(version);
    fs::create_directories(folder);
    const absl::Status status = WriteModelFile(model, folder / "model.safetensors");
    ASSERT_TRUE(status.ok()) << status;
  }
  void Remove(int version) { fs::remove_all(root_ / "weather" / absl::StrCat(version)); }
  void Look() { EXPECT_TRUE(registry_->Reload().ok()); }
  // The version that goes on with a live session of version 1; 0: none but that.
  int64_t Adopter(AdoptSessions adopt = AdoptSessions::kSameShape) {
    const ServedModelPtr found = FindAdopter(*registry_, *first_, adopt);
    return found == nullptr ? 0 : found->model->version;
  }
  absl::StatusOr<ServedModelPtr> FindRecorded(AdoptSessions adopt) {
    return FindRecordedModel(*registry_, RecordedModelOf(*first_->model), adopt);
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> registry_;
  ServedModelPtr first_;
};

TEST_F(AdoptSessionsTest, TheNewestVersionOfTheSameShapeAdoptsIfItMay) {
  EXPECT_EQ(Adopter(), 0);
  Put(2, Weather(1));
  Put(3, Weather(2));
  Look();
  EXPECT_EQ(Adopter(), 3);
  EXPECT_EQ(Adopter(AdoptSessions::kNever), 0);
  Remove(3);
  Look();
  EXPECT_EQ(Adopter(), 2);
}

TEST_F(AdoptSessionsTest, AnotherShapeAdoptsNothingAlsoWhenTheOldOneHasLeft) {
  Put(2, Turned());
  Look();
  EXPECT_EQ(Adopter(), 0);
  Remove(1);
  Look();
  EXPECT_EQ(Adopter(), 0);
  Remove(2);
  Look();
  EXPECT_EQ(Adopter(), 0) << "no version at all";
}

TEST_F(AdoptSessionsTest, AFileThatReplacesItsVersionAdopts) {
  Put(1, Weather(1));
  Look();
  EXPECT_EQ(Adopter(), 1);
}

TEST_F(AdoptSessionsTest, ARecordedStateGoesOnWithItsOwnVersionWhileThatIsThere) {
  Put(2, Weather(1));
  Look();
  EXPECT_EQ(*FindRecorded(AdoptSessions::kNever), first_);
  EXPECT_EQ(*FindRecorded(AdoptSessions::kSameShape), first_);
  Remove(1);
  Look();
  EXPECT_EQ((*FindRecorded(AdoptSessions::kSameShape))->model->version, 2);
}

TEST_F(AdoptSessionsTest, ARefusedRecordedStateNamesItsVersionAndWhatThereIs) {
  Put(2, WeatherModel(Cell::kGru, 1));
  Remove(1);
  Look();
  const absl::Status gone = FindRecorded(AdoptSessions::kNever).status();
  EXPECT_TRUE(absl::IsNotFound(gone)) << gone;
  EXPECT_THAT(gone.message(), AllOf(HasSubstr("model 'weather' version 1"), HasSubstr("there are: 2")));
  const absl::Status other = FindRecorded(AdoptSessions::kSameShape).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(other)) << other;
  EXPECT_THAT(other.message(),
              AllOf(HasSubstr("version 1, lstm of 1 layers"), HasSubstr("version 2 cannot adopt it: it is gru")));
}

}  // namespace
}  // namespace rondo
