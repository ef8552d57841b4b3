#include "server/registry/model_checksums.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "server/registry/model_registry.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/sample_models.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// The SHA-256 of "test".
constexpr char kTest[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

class ModelChecksumsTest : public ::testing::Test {
 protected:
  ModelChecksumsTest() { fs::create_directories(folder_ + "/m/1"); }

  void Write(const std::string& path, const std::string& text) const { std::ofstream(path, std::ios::trunc) << text; }
  std::string Check(const std::string& path) const {
    const absl::StatusOr<ModelChecksums> checksums = ModelChecksums::Read(list_);
    return std::string(checksums.ok() ? checksums->Copy(path).status().message() : checksums.status().message());
  }

  const TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
  const std::string list_ = folder_ + "/models.sha256";
};

TEST_F(ModelChecksumsTest, AFileIsTakenOnlyWithItsSum) {
  const std::string model = folder_ + "/m/1/model.safetensors";
  Write(model, "test");
  Write(list_, std::string(kTest) + "  m/1/model.safetensors\n");
  EXPECT_EQ(Check(model), "");
  Write(list_, std::string(kTest) + " *./m/1/model.safetensors\r\n\n");
  EXPECT_EQ(Check(model), "");
  Write(model, "Test");
  EXPECT_THAT(Check(model), HasSubstr("model.safetensors has the SHA-256 532eaabd"));
  EXPECT_THAT(Check(model), HasSubstr(std::string("lists ") + kTest));
  EXPECT_THAT(Check(folder_ + "/m/2/model.safetensors"), HasSubstr("is not in --models_sha256="));
  Write(list_, std::string(kTest) + "  " + model + "\n");
  Write(model, "test");
  EXPECT_EQ(Check(model), "");
}

TEST_F(ModelChecksumsTest, WhatIsLoadedIsWhatWasSummedWhateverTheFileIsByThen) {
  const std::string model = folder_ + "/m.safetensors";
  Write(model, "test");
  Write(list_, std::string(kTest) + "  m.safetensors\n" + kTest + "  m.json\n");
  const absl::StatusOr<ModelChecksums> checksums = ModelChecksums::Read(list_);
  ASSERT_TRUE(checksums.ok());
  const absl::StatusOr<CheckedModel> alone = checksums->Copy(model);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->description, nullptr);
  Write(folder_ + "/m.json", "test");
  const absl::StatusOr<CheckedModel> copies = checksums->Copy(model);
  ASSERT_TRUE(copies.ok()) << copies.status();
  Write(model, "something else");
  Write(folder_ + "/m.json", "something else");
  EXPECT_EQ(*ReadSmallFile(copies->model->path(), 100), "test");
  EXPECT_EQ(*ReadSmallFile(copies->description->path(), 100), "test");
}

TEST_F(ModelChecksumsTest, TheDescriptionBesideAModelIsCheckedToo) {
  const std::string model = folder_ + "/m.safetensors";
  Write(model, "test");
  Write(list_, std::string(kTest) + "  m.safetensors\n");
  EXPECT_EQ(Check(model), "");
  Write(folder_ + "/m.json", "{}");
  EXPECT_THAT(Check(model), HasSubstr("m.json is not in"));
}

TEST_F(ModelChecksumsTest, AListWithAFaultIsRefusedByItsLine) {
  for (const std::string line : {"nonsense", "9f86d081  m.safetensors",
                                 "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b82"
                                 "2cd15d6c15b0f00a0g  m"}) {
    Write(list_, std::string(kTest) + "  m\n" + line + "\n");
    EXPECT_THAT(Check(folder_ + "/m"), HasSubstr("line 2: wanted 64 hex digits")) << line;
  }
  fs::remove(list_);
  EXPECT_THAT(Check(folder_ + "/m"), HasSubstr("--models_sha256="));
}

TEST_F(ModelChecksumsTest, TheRegistrySumsARefusedFileAgainOnlyWhenTheFileOrTheListHasChanged) {
  const std::string path = folder_ + "/m/1/model.safetensors";
  Write(path, "Test");
  Write(list_, std::string(kTest) + "  m/1/model.safetensors\n");
  ModelRegistry::Options options;
  options.model_repository = folder_;
  options.models_sha256 = list_;
  Metrics metrics;
  testing::internal::CaptureStderr();
  const auto registry = ModelRegistry::Open(options, &metrics);
  ASSERT_TRUE(registry.ok()) << registry.status();
  const absl::Status refused = (*registry)->Reload();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("has the SHA-256 532eaabd"));
  const fs::file_time_type written = fs::last_write_time(path);
  Write(path, "tesT");  // in a way that no stamp tells
  fs::last_write_time(path, written);
  EXPECT_EQ((*registry)->Reload(), refused);
  Write(list_, std::string(kTest) + "  m/1/model.safetensors\n\n");
  const absl::Status by_new_list = (*registry)->Reload();
  EXPECT_THAT(std::string(by_new_list.message()), HasSubstr("has the SHA-256 "));
  EXPECT_NE(by_new_list, refused);
  Write(list_, "nonsense\n");
  EXPECT_THAT(std::string((*registry)->Reload().message()), HasSubstr("line 1: wanted 64 hex digits"));
  ASSERT_TRUE(WriteModelFile(WeatherModel(Cell::kLstm, 1), path).ok());
  const std::string made = "cd " + folder_ + " && sha256sum */*/model.safetensors > models.sha256";
  ASSERT_EQ(std::system(made.c_str()), 0);
  EXPECT_TRUE((*registry)->Reload().ok());
  testing::internal::GetCapturedStderr();
}

TEST_F(ModelChecksumsTest, TheRegistryLoadsNoOtherFile) {
  const std::string path = folder_ + "/m/1/model.safetensors";
  ASSERT_TRUE(WriteModelFile(WeatherModel(Cell::kLstm, 1), path).ok());
  Write(list_, std::string(kTest) + "  m/1/model.safetensors\n");
  ModelRegistry::Options options;
  options.model_files = {path};
  options.models_sha256 = list_;
  Metrics metrics;
  testing::internal::CaptureStderr();
  const absl::Status refused = ModelRegistry::Open(options, &metrics).status();
  EXPECT_THAT(std::string(refused.message()), HasSubstr("model \"m\" version 1: model.safetensors has the SHA-256 "));
  const std::string made = "cd " + folder_ + " && sha256sum */*/model.safetensors > models.sha256";
  ASSERT_EQ(std::system(made.c_str()), 0);
  const auto registry = ModelRegistry::Open(options, &metrics);
  EXPECT_TRUE(registry.ok()) << registry.status();
  testing::internal::GetCapturedStderr();
  fs::remove(list_);
  EXPECT_FALSE(ModelRegistry::Open(options, &metrics).ok());
}

}  // namespace
}  // namespace rondo
