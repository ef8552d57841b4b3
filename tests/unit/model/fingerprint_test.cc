#include "model/fingerprint.h"

#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "model/model.h"
#include "model/model_file.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

uint64_t Of(const ModelFile& model) { return FingerprintOf(model.spec, model.weights); }

class LoadedFingerprintTest : public testing::Test {
 protected:
  uint64_t Load(const ModelFile& file, const std::string& name, int64_t version, const Network::Options& options = {}) {
    const std::string path = folder_.Path("model.safetensors");
    EXPECT_TRUE(WriteModelFile(file, path).ok());
    const auto model = LoadModel(path, name, version, options);
    EXPECT_TRUE(model.ok()) << model.status();
    return model.ok() ? (*model)->fingerprint : 0;
  }

 private:
  const TemporaryFolder folder_;
};

// The number is part of stored sessions: it may not change from one Rondo to the next.
TEST(FingerprintTest, IsTheSameOnEveryMachineAndInEveryRelease) {
  EXPECT_EQ(Of(WeatherModel(Cell::kLstm, 2)), 6815240940958028081u);
  EXPECT_EQ(Of(TokenModel(Cell::kGru)), 2539036633275215646u);
}

TEST(FingerprintTest, EachWeightCounts) {
  ModelFile model = TokenModel(Cell::kGru);
  std::set<uint64_t> seen = {Of(model)};
  size_t changes = 1;
  for (const TensorSlot& slot : TensorSlots(model.spec, &model.weights)) {
    for (float& value : *slot.values) {
      const float kept = std::exchange(value, value + 1e-3f);
      seen.insert(Of(model));
      ++changes;
      value = kept;
    }
  }
  EXPECT_EQ(seen.size(), changes);
}

TEST(FingerprintTest, WhatDecidesTheNumbersCountsAndProvenanceDoesNot) {
  ModelFile model = WeatherModel(Cell::kGru, 1);
  const uint64_t original = Of(model);
  model.spec.training_json = R"({"epochs":8})";
  EXPECT_EQ(Of(model), original);
  std::set<uint64_t> seen = {original};
  model.spec.inputs[0].mean += 1e-9;
  seen.insert(Of(model));
  model.spec.gru_reset = GruReset::kBefore;
  seen.insert(Of(model));
  model.spec.feedback.clear();
  seen.insert(Of(model));
  EXPECT_EQ(seen.size(), 4u);
}

TEST_F(LoadedFingerprintTest, BelongsToTheFileWhateverItsNameVersionOrKernel) {
  const ModelFile file = WeatherModel(Cell::kLstm, 1);
  Network::Options reference;
  reference.kernel = KernelKind::kReference;
  EXPECT_EQ(Load(file, "a", 1), Of(file));
  EXPECT_EQ(Load(file, "b", 2, reference), Of(file));
}

}  // namespace
}  // namespace rondo
