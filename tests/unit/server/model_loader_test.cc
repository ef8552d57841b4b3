#include "server/registry/model_loader.h"

#include <atomic>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"
#include "model/model_file.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

class ModelLoaderTest : public testing::Test {
 protected:
  ModelLoaderTest() {
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    registry_ = *ModelRegistry::Create(options, &metrics_);
  }

  void Put(const std::string& model) {
    fs::create_directories(root_ / model);
    ASSERT_TRUE(WriteModelFile(WeatherModel(Cell::kLstm, 1), root_ / model / "model.safetensors").ok());
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> registry_;
  std::atomic<int> looks_{0};
};

TEST_F(ModelLoaderTest, LoadsTheFirstModelsAndThoseThatAreAskedFor) {
  Put("weather/1");
  ModelLoader loader(registry_.get(), [this](const absl::Status&) { ++looks_; });
  EXPECT_EQ(loader.AwaitFirst(absl::InfiniteFuture()), absl::OkStatus());
  EXPECT_EQ(looks_, 1);
  EXPECT_TRUE(registry_->ready());
  Put("weather/2");
  loader.AskAndWait();
  EXPECT_EQ(looks_, 2);
  EXPECT_TRUE(registry_->Find("weather", 2).ok());
  EXPECT_FALSE(loader.busy());
}

TEST_F(ModelLoaderTest, SaysWhyAFileThatWasNamedDoesNotLoad) {
  ModelRegistry::Options options;
  options.model_files = {root_ / "none.safetensors"};
  registry_ = *ModelRegistry::Create(options, &metrics_);
  ModelLoader loader(registry_.get(), [](const absl::Status&) {});
  EXPECT_EQ(loader.AwaitFirst(absl::InfiniteFuture())->code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelLoaderTest, OnceItHasQuitNobodyHearsOrWaits) {
  ModelLoader loader(registry_.get(), [this](const absl::Status&) { ++looks_; });
  loader.Quit();
  const int looks = looks_;
  loader.Ask();
  loader.AskAndWait();
  EXPECT_EQ(looks_, looks);
}

}  // namespace
}  // namespace rondo
