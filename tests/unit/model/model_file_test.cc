#include "model/model_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/spec_json.h"
#include "nlohmann/json.hpp"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

void ExpectSame(const ModelFile& a, const ModelFile& b) {
  EXPECT_EQ(SpecJson(a.spec), SpecJson(b.spec));
  EXPECT_EQ(a.spec.num_layers, b.spec.num_layers);
  EXPECT_EQ(a.spec.hidden_size, b.spec.hidden_size);
  EXPECT_EQ(a.spec.embedding_size, b.spec.embedding_size);
  ModelFile x = a, y = b;
  const auto left = TensorSlots(x.spec, &x.weights), right = TensorSlots(y.spec, &y.weights);
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(*left[i].values, *right[i].values) << left[i].name;
}

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() {
    std::string pattern = ::testing::TempDir() + "/rondo_model_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/m.safetensors";
  }
  ~ModelFileTest() override { fs::remove_all(folder_); }

  void WriteBytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

  std::string folder_, path_;
};

TEST_F(ModelFileTest, WhatIsWrittenIsReadForEveryCell) {
  std::vector<ModelFile> models = {TokenModel(Cell::kLstm), TokenModel(Cell::kGru), TokenModel(Cell::kRnn)};
  for (Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn}) {
    for (int64_t num_layers : {1, 3}) models.push_back(WeatherModel(cell, num_layers));
  }
  models.push_back(WeatherModel(Cell::kRnn, 1));
  models.back().spec.activation = Activation::kRelu;
  for (GruReset reset : {GruReset::kBefore, GruReset::kAfter}) {
    for (GruUpdate update : {GruUpdate::kKeep, GruUpdate::kReplace}) {
      models.push_back(WeatherModel(Cell::kGru, 2));
      models.back().spec.gru_reset = reset;
      models.back().spec.gru_update = update;
    }
  }
  for (const ModelFile& model : models) {
    ASSERT_TRUE(WriteModelFile(model, path_).ok()) << WriteModelFile(model, path_);
    const absl::StatusOr<ModelFile> read = ReadModelFile(path_);
    ASSERT_TRUE(read.ok()) << read.status();
    ExpectSame(*read, model);
  }
}

}  // namespace
}  // namespace rondo
