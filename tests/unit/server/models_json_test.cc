#include "server/registry/models_json.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "model/network_table.h"
#include "nlohmann/json.hpp"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

// A repository in a temporary folder.
class ModelsJsonTest : public testing::Test {
 protected:
  std::string PathOf(const std::string& model) const {
    fs::create_directories(root_ / model);
    return root_ / model / "model.safetensors";
  }
  nlohmann::json Models() {
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    testing::internal::CaptureStderr();
    registry_ = *ModelRegistry::Open(options, &metrics_);
    testing::internal::GetCapturedStderr();
    return nlohmann::json::parse(ModelsJson(*registry_)).at("models");
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> registry_;
};

TEST_F(ModelsJsonTest, HasEachElementOfALiveModel) {
  ASSERT_TRUE(WriteModelFile(WeatherModel(Cell::kLstm, 2), PathOf("weather/3")).ok());
  const nlohmann::json models = Models();
  ASSERT_EQ(models.size(), 1);
  const nlohmann::json& model = models[0];
  const Model& live = *registry_->List()[0]->model;
  EXPECT_EQ(model.at("name"), "weather");
  EXPECT_EQ(model.at("version"), 3);
  EXPECT_EQ(model.at("state"), "ready");
  EXPECT_EQ(std::stoull(std::string(model.at("fingerprint")), nullptr, 16), live.fingerprint);
  EXPECT_THAT(model.at("inputs"), ElementsAre("temp", "wind"));
  EXPECT_EQ(model.at("needs_times"), true);
  EXPECT_EQ(model.at("state_size"), live.spec().state_size());
  const std::vector<NetworkTableRow> rows = NetworkTable(*live.network);
  ASSERT_EQ(model.at("elements").size(), rows.size());
  int64_t parameters = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const nlohmann::json& element = model.at("elements")[i];
    EXPECT_EQ(element.at("name"), rows[i].name);
    EXPECT_EQ(element.at("type"), rows[i].type);
    EXPECT_EQ(element.at("of"), nlohmann::json(rows[i].of));
    EXPECT_EQ(element.at("channels"), rows[i].output.channels);
    EXPECT_EQ(element.at("state_size"), rows[i].state_size);
    EXPECT_EQ(element.at("kernel"), rows[i].kernel);
    parameters += rows[i].parameters;
  }
  EXPECT_EQ(model.at("parameters"), parameters);
}

TEST_F(ModelsJsonTest, SaysWhyAModelIsNotLiveAndNoMoreOfIt) {
  std::ofstream(PathOf("broken/1")) << "nonsense \xff\xfe";
  const nlohmann::json models = Models();
  ASSERT_EQ(models.size(), 1);
  EXPECT_EQ(models[0].at("state"), "unavailable");
  EXPECT_NE(models[0].at("reason"), "");
  EXPECT_FALSE(models[0].contains("elements"));
}

TEST_F(ModelsJsonTest, IsWholeWithoutAnyModel) { EXPECT_EQ(Models(), nlohmann::json::array()); }

}  // namespace
}  // namespace rondo
