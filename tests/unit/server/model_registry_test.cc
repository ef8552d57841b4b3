#include "server/registry/model_registry.h"

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/refusal/refusal.h"
#include "tests/unit/server/registry_fixture.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(ModelRegistryTest, ServesEveryVersionAndTheNewestByDefault) {
  Put("weather/2");
  Put("weather/10");
  Put("energy/1");
  Open();
  EXPECT_THAT(Listed(), ElementsAre("energy/1", "weather/2", "weather/10"));
  EXPECT_EQ((*registry_->Find("weather", 0))->model->version, 10);
  EXPECT_EQ((*registry_->Find("weather", 2))->model->version, 2);
  EXPECT_EQ((*registry_->Find("weather", 0))->metrics, metrics_.ForModel("weather"));
}

TEST_F(ModelRegistryTest, NotFoundSaysWhatThereIs) {
  Put("weather/2");
  Open();
  EXPECT_EQ(registry_->Find("wether", 0).status(), Refuse(Why::kNotFound, "no model \"wether\"; there are: weather"));
  EXPECT_EQ(registry_->Find("weather", 3).status(),
            Refuse(Why::kNotFound, "model \"weather\" has no version 3; there are: 2"));
  EXPECT_EQ(registry_->Find("weather", -1).status().code(), absl::StatusCode::kNotFound);
  const std::string message(registry_->Find("a\n\xff" + std::string(100000, 'x'), 0).status().message());
  EXPECT_THAT(message, HasSubstr(R"("a\n\xff)"));
  EXPECT_LT(message.size(), 300u);
}

TEST_F(ModelRegistryTest, RepositoryMayStartEmptyAndFill) {
  Open();
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_EQ(registry_->Find("weather", 0).status(), Refuse(Why::kNotFound, "no model \"weather\"; there are: none"));
  Put("weather/1");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
}

TEST_F(ModelRegistryTest, ReloadKeepsWhatDidNotChange) {
  Put("weather/1");
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  Put("weather/2");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ(*registry_->Find("weather", 1), before);
  EXPECT_EQ((*registry_->Find("weather", 0))->model->version, 2);
}

TEST_F(ModelRegistryTest, ReplacedFileIsLoadedAndItsUsersKeepTheOldOne) {
  Put("weather/1", Cell::kLstm);
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  Put("weather/1", Cell::kRnn);
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ((*registry_->Find("weather", 0))->spec().cell, Cell::kRnn);
  EXPECT_EQ(before->spec().cell, Cell::kLstm);
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr("cell=\"rnn\""), Not(HasSubstr("cell=\"lstm\""))));
}

TEST_F(ModelRegistryTest, IsReadyOnceAModelIsLive) {
  PutNonsense("bad/1");
  Open();
  EXPECT_FALSE(registry_->ready());
  Put("weather/1");
  registry_->Reload().IgnoreError();
  EXPECT_TRUE(registry_->ready());
  fs::remove_all(root_ / "weather");
  registry_->Reload().IgnoreError();
  EXPECT_FALSE(registry_->ready());
}

TEST_F(ModelRegistryTest, MayBeReadyWithoutAModelButNotBeforeItHasLooked) {
  ModelRegistry::Options options;
  options.model_repository = root_;
  options.allow_empty = true;
  registry_ = *ModelRegistry::Create(options, &metrics_);
  EXPECT_FALSE(registry_->ready());
  EXPECT_EQ(registry_->Find("weather", 0).status(), Refuse(Why::kModelAway, "the models are being loaded"));
  EXPECT_TRUE(registry_->LoadFirst().ok());
  EXPECT_TRUE(registry_->ready());
  EXPECT_EQ(registry_->Find("weather", 0).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelRegistryTest, StoppedItLoadsNoMoreAndKeepsWhatItServed) {
  Put("weather/1");
  Open();
  Put("weather/2");
  registry_->StopLoading();
  EXPECT_EQ(registry_->Reload().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
}

TEST_F(ModelRegistryTest, RemovedModelLeavesAndItsUsersKeepIt) {
  Put("weather/1");
  Put("weather/2");
  Open();
  const ServedModelPtr user = *registry_->Find("weather", 2);
  fs::remove_all(root_ / "weather/2");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ((*registry_->Find("weather", 0))->model->version, 1);
  EXPECT_EQ(user.use_count(), 1) << "the registry let it go";
  EXPECT_EQ(user->spec().hidden_size, 3);
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("version=\"2\"")));
  fs::remove_all(root_ / "weather");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_THAT(Listed(), IsEmpty());
  EXPECT_THAT(Log(), HasSubstr("level=info event=model_unloaded model=weather version=2\n"));
}

TEST_F(ModelRegistryTest, ConfigMapUpdateIsSeenThroughItsLinks) {
  Put("..1/weather/1", Cell::kLstm);
  fs::create_directory_symlink("..1", root_ / "..data");
  fs::create_directory_symlink("..data/weather", root_ / "weather");
  Open();
  EXPECT_EQ((*registry_->Find("weather", 0))->spec().cell, Cell::kLstm);
  Put("..2/weather/1", Cell::kGru);
  fs::create_directory_symlink("..2", root_ / "..data_tmp");
  fs::rename(root_ / "..data_tmp", root_ / "..data");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ((*registry_->Find("weather", 0))->spec().cell, Cell::kGru);
}

TEST_F(ModelRegistryTest, LoadIsLoggedAndMeasured) {
  Put("weather/7");
  Open();
  EXPECT_THAT(Log(),
              HasSubstr("level=info event=model_loaded model=weather version=7 cell=lstm num_layers=1 "
                        "hidden_size=3 kernel=reference deterministic=true weights=f32 weights_error=0 seconds="));
  EXPECT_THAT(metrics_.Serialize(),
              AllOf(HasSubstr("rondo_model_info{model=\"weather\",version=\"7\",cell=\"lstm\",kernel=\"reference\","),
                    HasSubstr("rondo_model_load_duration_seconds_count{model=\"weather\"} 1\n")));
}

TEST_F(ModelRegistryTest, FilesServeUnderTheirOwnNames) {
  Put("weather/3");
  fs::copy(PathOf("weather/3"), root_ / "demand.safetensors");
  absl::StatusOr<std::unique_ptr<ModelRegistry>> opened =
      OpenFiles({PathOf("weather/3"), root_ / "demand.safetensors"});
  ASSERT_TRUE(opened.ok()) << opened.status();
  registry_ = *std::move(opened);
  EXPECT_THAT(Listed(), ElementsAre("demand/1", "weather/3"));
  fs::remove(root_ / "demand.safetensors");
  EXPECT_EQ(registry_->Reload().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Listed(), ElementsAre("demand/1", "weather/3")) << "a named file that is gone is a mistake";
}

TEST_F(ModelRegistryTest, OptionsThatContradictAreRefused) {
  Put("weather/1");
  fs::copy(PathOf("weather/1"), root_ / "weather.safetensors");
  EXPECT_EQ(OpenFiles({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenFiles({PathOf("weather/1"), root_ / "weather.safetensors"}).status(),
            absl::InvalidArgumentError("two files are model \"weather\" version 1"));
  ModelRegistry::Options both;
  both.model_files = {PathOf("weather/1")};
  both.model_repository = root_;
  EXPECT_EQ(ModelRegistry::Open(both, &metrics_).status().code(), absl::StatusCode::kInvalidArgument);
  ModelRegistry::Options missing;
  missing.model_repository = root_ / "none";
  EXPECT_EQ(ModelRegistry::Open(missing, &metrics_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelRegistryTest, FindGoesOnWhileModelsAreReplaced) {
  Put("weather/1");
  Open();
  std::atomic<bool> stop{false};
  std::atomic<int> missed{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) missed += registry_->Find("weather", 0).ok() && registry_->List().size() == 1 ? 0 : 1;
    });
  }
  for (int i = 0; i < 20; ++i) {
    Put("weather/1", i % 2 == 0 ? Cell::kGru : Cell::kLstm);
    EXPECT_TRUE(registry_->Reload().ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace rondo
