#include "server/registry/model_registry.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "server/refusal/refusal.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

int CountOf(absl::string_view part, absl::string_view text) {
  int count = 0;
  for (size_t at = text.find(part); at != absl::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// A repository in a temporary folder, and the log of what is done with it.
class ModelRegistryTest : public testing::Test {
 protected:
  ModelRegistryTest() { testing::internal::CaptureStderr(); }
  ~ModelRegistryTest() override {
    if (capturing_) testing::internal::GetCapturedStderr();
  }

  std::string PathOf(const std::string& model) const { return root_ / model / "model.safetensors"; }
  // `model`: "name/version".
  void Put(const std::string& model, Cell cell = Cell::kLstm) {
    fs::create_directories(root_ / model);
    const absl::Status status = WriteModelFile(WeatherModel(cell, 1), PathOf(model));
    ASSERT_TRUE(status.ok()) << status;
  }
  void PutNonsense(const std::string& model, const std::string& text = "nonsense") {
    fs::create_directories(root_ / model);
    const std::string next = PathOf(model) + ".new";
    std::ofstream(next) << text;
    fs::rename(next, PathOf(model));
  }
  void Open() {
    ModelRegistry::Options options;
    options.model_repository = root_;
    options.network.kernel = KernelKind::kReference;
    absl::StatusOr<std::unique_ptr<ModelRegistry>> opened = ModelRegistry::Open(options, &metrics_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    registry_ = *std::move(opened);
  }
  absl::StatusOr<std::unique_ptr<ModelRegistry>> OpenFiles(const std::vector<std::string>& files) {
    ModelRegistry::Options options;
    options.model_files = files;
    options.network.kernel = KernelKind::kReference;
    return ModelRegistry::Open(options, &metrics_);
  }
  std::vector<std::string> Listed() const {
    std::vector<std::string> names;
    for (const ServedModelPtr& served : registry_->List()) {
      names.push_back(absl::StrCat(served->model->name, "/", served->model->version));
    }
    return names;
  }
  std::string Log() {
    capturing_ = false;
    return testing::internal::GetCapturedStderr();
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
  bool capturing_ = true;
  Metrics metrics_;
  std::unique_ptr<ModelRegistry> registry_;
};

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

TEST_F(ModelRegistryTest, BadReplacementIsNamedAndTheOldOneStays) {
  Put("weather/1");
  Put("energy/1");
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  PutNonsense("weather/1");
  const absl::Status first = registry_->Reload();
  EXPECT_EQ(first.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(first.message()), testing::StartsWith("model \"weather\" version 1: "));
  EXPECT_EQ(registry_->Reload(), first) << "still so";
  EXPECT_EQ(*registry_->Find("weather", 0), before);
  EXPECT_EQ(registry_->ListKnown()[1].served, before);
  EXPECT_EQ(registry_->ListKnown()[1].failure, first);
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("rondo_model_loaded{model=\"weather\",version=\"1\"} 0\n"));
  Put("weather/1", Cell::kGru);
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_EQ((*registry_->Find("weather", 0))->spec().cell, Cell::kGru);

  const std::string log = Log();
  EXPECT_EQ(CountOf("level=error event=model_load_failed model=weather version=1 cause=", log), 1);
  EXPECT_THAT(log, HasSubstr("serving=\"the one before\""));
}

TEST_F(ModelRegistryTest, OneBadModelDoesNotKeepOthersOut) {
  PutNonsense("bad/1");
  Put("weather/1");
  Open();
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
  EXPECT_FALSE(registry_->Reload().ok());
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("rondo_model_info{model=\"bad\"")));
}

TEST_F(ModelRegistryTest, AModelThatDoesNotLoadIsKnownWithItsReasonUntilItIsRepaired) {
  PutNonsense("bad/1");
  Put("weather/1");
  Open();
  const std::vector<ModelRegistry::Known> known = registry_->ListKnown();
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].name, "bad");
  EXPECT_EQ(known[0].version, 1);
  EXPECT_EQ(known[0].served, nullptr);
  EXPECT_THAT(std::string(known[0].failure.message()), testing::StartsWith("model \"bad\" version 1: "));
  EXPECT_TRUE(known[1].failure.ok());
  for (const int64_t version : {0, 1}) {
    EXPECT_EQ(registry_->Find("bad", version).status(), Refuse(Why::kModelAway, known[0].failure.message()));
  }
  EXPECT_EQ(registry_->Find("bad", 2).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr("rondo_model_loaded{model=\"bad\",version=\"1\"} 0\n"),
                                          HasSubstr("rondo_model_loaded{model=\"weather\",version=\"1\"} 1\n"),
                                          HasSubstr("rondo_model_load_failures_total 1\n")));
  Put("bad/1");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_TRUE(registry_->Find("bad", 0).ok());
  EXPECT_TRUE(registry_->ListKnown()[0].failure.ok());
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("rondo_model_loaded{model=\"bad\",version=\"1\"} 1\n"));
}

TEST_F(ModelRegistryTest, AFailureLeavesWithItsFolder) {
  PutNonsense("bad/1");
  Open();
  fs::remove_all(root_ / "bad");
  EXPECT_TRUE(registry_->Reload().ok());
  EXPECT_THAT(registry_->ListKnown(), IsEmpty());
  EXPECT_THAT(metrics_.Serialize(), Not(HasSubstr("\"bad\"")));
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

TEST_F(ModelRegistryTest, RepositoryThatVanishesTakesNothingAway) {
  Put("weather/1");
  Open();
  const fs::path away = root_.string() + ".away";
  fs::rename(root_, away);
  const absl::Status status = registry_->Reload();
  fs::rename(away, root_);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Listed(), ElementsAre("weather/1"));
}

TEST_F(ModelRegistryTest, WhatCannotBeLookedAtForAWhileTakesNothingAway) {
  Put("weather/1");
  Open();
  const ServedModelPtr before = *registry_->Find("weather", 0);
  // A link to itself: there, but not to be read, by root either.
  for (const std::string& unreadable :
       {PathOf("weather/1"), (root_ / "weather/1").string(), (root_ / "weather").string()}) {
    const fs::path away = root_ / ".away";
    fs::rename(unreadable, away);
    fs::create_symlink(unreadable, unreadable);
    registry_->Reload().IgnoreError();
    registry_->Reload().IgnoreError();
    ASSERT_THAT(Listed(), ElementsAre("weather/1")) << unreadable;
    EXPECT_EQ(*registry_->Find("weather", 0), before) << unreadable;
    fs::remove(unreadable);
    fs::rename(away, unreadable);
    EXPECT_TRUE(registry_->Reload().ok()) << unreadable << " is back";
  }
  const std::string log = Log();
  EXPECT_EQ(CountOf("event=model_load_failed", log), 2) << log;
  EXPECT_EQ(CountOf("event=model_ignored", log), 1) << log;
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

TEST_F(ModelRegistryTest, FileThatDoesNotLoadIsAnError) {
  PutNonsense("bad/1");
  EXPECT_EQ(OpenFiles({PathOf("bad/1")}).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(OpenFiles({root_ / "none.safetensors"}).status().code(), absl::StatusCode::kNotFound);
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
