#include "server/registry/model_source.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ModelSourceTest : public testing::Test {
 protected:
  fs::path Write(const std::string& file, const std::string& text = "x") {
    const fs::path path = root_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    const absl::StatusOr<RepositoryScan> scan = ScanRepository(root_);
    EXPECT_TRUE(scan.ok()) << scan.status();
    for (const ModelSource& source : scan->sources) {
      names.push_back(absl::StrCat(source.name, "/", source.version));
      EXPECT_TRUE(fs::is_regular_file(source.path)) << source.path;
    }
    return names;
  }

  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(ModelSourceTest, NamesArePlainAndShort) {
  for (const char* name : {"m", "Weather_v2.1-b", "-", "9"}) EXPECT_TRUE(ValidateModelName(name).ok()) << name;
  EXPECT_TRUE(ValidateModelName(std::string(64, 'a')).ok());
  for (const std::string& name : {std::string(), std::string("."), std::string(".x"), std::string(".."),
                                  std::string("a/b"), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
                                  std::string("\xc3\xa9"), std::string("a\"b"), std::string(65, 'a')}) {
    EXPECT_EQ(ValidateModelName(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

TEST_F(ModelSourceTest, VersionsArePositiveIntegersWrittenInOneWay) {
  EXPECT_EQ(ParseModelVersion("1"), 1);
  EXPECT_EQ(ParseModelVersion("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "0", "01", "-1", "+1", " 1", "1 ", "1.0", "v1", "9223372036854775808"}) {
    EXPECT_EQ(ParseModelVersion(text), 0) << text;
  }
}

TEST_F(ModelSourceTest, NameAndVersionComeFromTheFoldersOrTheFile) {
  const auto name_of = [](const char* path) {
    const absl::StatusOr<ModelSource> source = ModelSourceOfFile(path);
    return source.ok() ? absl::StrCat(source->name, "/", source->version) : "refused";
  };
  EXPECT_EQ(name_of("models/weather/3/model.safetensors"), "weather/3");
  EXPECT_EQ(name_of("weather/3/model.safetensors"), "weather/3");
  EXPECT_EQ(name_of("weather/3/other.safetensors"), "other/1");
  EXPECT_EQ(name_of("weather/v3/model.safetensors"), "model/1");
  EXPECT_EQ(name_of("a b/3/model.safetensors"), "model/1");
  EXPECT_EQ(name_of("3/model.safetensors"), "model/1");
  EXPECT_EQ(name_of("weather.safetensors"), "weather/1");
  EXPECT_EQ(name_of("my weather.safetensors"), "refused");
  EXPECT_EQ(name_of(".safetensors"), "refused");
  EXPECT_EQ(name_of(""), "refused");
}

TEST_F(ModelSourceTest, ScanFindsEveryVersionInOrder) {
  for (const char* file : {"b/2/model.safetensors", "b/10/model.safetensors", "a/1/model.safetensors"}) Write(file);
  EXPECT_THAT(Names(), ElementsAre("a/1", "b/2", "b/10"));
  EXPECT_THAT(ScanRepository(root_)->problems, IsEmpty());
}

TEST_F(ModelSourceTest, WhatIsNoModelIsNamedOrPassedOver) {
  Write("README");
  Write(".git/1/model.safetensors");
  Write("a/config.pbtxt");
  Write("a/1/model.safetensors");
  Write("a/01/model.safetensors");
  Write("a/latest/model.safetensors");
  Write("a/2/weights.bin");
  Write("b c/1/model.safetensors");
  EXPECT_THAT(Names(), ElementsAre("a/1"));
  EXPECT_THAT(ScanRepository(root_)->problems,
              UnorderedElementsAre(
                  "a/01: a version is a positive integer without leading zeros",
                  "a/latest: a version is a positive integer without leading zeros", "a/2: holds no model.safetensors",
                  "b c: \"b c\" is no model name; wanted 1 to 64 of A-Z a-z 0-9 _ . - with no dot first"));
}

TEST_F(ModelSourceTest, AModelFileInAFolderThatIsNoVersionsIsNamed) {
  Write("weather/model.safetensors");
  Write("weather.safetensors");
  Write("notes/README");
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_THAT(
      ScanRepository(root_)->problems,
      ElementsAre("weather/model.safetensors: lies in no folder of a version; wanted NAME/VERSION/model.safetensors",
                  "weather.safetensors: lies in the repository itself; wanted NAME/VERSION/model.safetensors, or "
                  "--model=FILE for one file"));
  Write("weather/1/model.safetensors");  // a copy that was left behind is nobody's mistake
  EXPECT_THAT(ScanRepository(root_)->problems, IsEmpty());
}

TEST_F(ModelSourceTest, LinksAreFollowedAsKubernetesMountsThem) {
  Write("..2026_01/weather/1/model.safetensors");
  fs::create_directory_symlink("..2026_01", root_ / "..data");
  fs::create_directory_symlink("..data/weather", root_ / "weather");
  fs::create_directory_symlink("loop", root_ / "loop");
  fs::create_directory_symlink("nowhere", root_ / "dangling");
  EXPECT_THAT(Names(), ElementsAre("weather/1"));
}

TEST_F(ModelSourceTest, MissingRepositoryIsNotFound) {
  EXPECT_EQ(ScanRepository(root_ / "none").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ModelSourceTest, StampTellsAReplacedOrRewrittenFileOrSidecar) {
  const std::string path = Write("m.safetensors", "one");
  const FileStamp first = *FileStamp::Of(path);
  EXPECT_TRUE(first == *FileStamp::Of(path));

  Write("m.json", "{}");
  const FileStamp with_sidecar = *FileStamp::Of(path);
  EXPECT_TRUE(with_sidecar != first);

  fs::rename(Write("other", "two"), path);
  fs::last_write_time(path, fs::last_write_time(root_ / "m.json"));
  const FileStamp replaced = *FileStamp::Of(path);
  EXPECT_TRUE(replaced != with_sidecar);

  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::nanoseconds(1));
  EXPECT_TRUE(*FileStamp::Of(path) != replaced);
  EXPECT_EQ(FileStamp::Of(root_ / "none").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rondo
