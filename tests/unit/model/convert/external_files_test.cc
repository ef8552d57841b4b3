// Values that an ONNX file keeps in other files: they are read from its folder, and from nowhere else.

#include "model/convert/onnx/external_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/convert/graph/model_writer.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_tensor.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kFloat = 1, kInt64 = 7, kFloat16 = 10;

std::string BytesOf(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

class ExternalFilesTest : public testing::Test {
 protected:
  ExternalFilesTest() { folder_.Write("in/it.onnx.data", BytesOf({1, 2, 3, 4})); }

  std::string Inside() const { return folder_.Path("in"); }

  absl::StatusOr<OnnxTensor> Read(const Names& place, const Sizes& shape = {2}, int64_t type = kFloat) const {
    ExternalFiles files(Inside());
    return ParseOnnxTensor(ExternalTensor("k", shape, type, place), &files);
  }

  std::string RefusalOf(const Names& place) const {
    const absl::StatusOr<OnnxTensor> tensor = Read(place);
    return tensor.ok() ? "it was read" : std::string(tensor.status().message());
  }

  // What is said of a location, as `place` begins with it.
  std::string RefusalOfLocation(const std::string& location) const { return RefusalOf({"location", location}); }

  const TemporaryFolder folder_;
};

TEST_F(ExternalFilesTest, ValuesAreReadFromTheirOffsetOn) {
  const absl::StatusOr<OnnxTensor> all = Read({"location", "it.onnx.data", "offset", "0", "length", "16"}, {2, 2});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->name, "k");
  EXPECT_THAT(all->array.shape, ElementsAre(2, 2));
  EXPECT_THAT(all->array.values, ElementsAre(1, 2, 3, 4));
  const absl::StatusOr<OnnxTensor> some = Read({"location", "it.onnx.data", "offset", "4", "length", "8"});
  ASSERT_TRUE(some.ok()) << some.status();
  EXPECT_THAT(some->array.values, ElementsAre(2, 3));
}

TEST_F(ExternalFilesTest, WithoutOffsetAndLengthTheyFollowFromShapeAndType) {
  const absl::StatusOr<OnnxTensor> tensor = Read({"location", "./it.onnx.data", "checksum", "of SHA-1"}, {4});
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_THAT(tensor->array.values, ElementsAre(1, 2, 3, 4));
}

TEST_F(ExternalFilesTest, ATensorWithoutValuesMayBeginWhereTheFileEnds) {
  folder_.Write("in/empty", "");
  EXPECT_TRUE(Read({"location", "empty", "offset", "0", "length", "0"}, {0}).ok());
  EXPECT_TRUE(Read({"location", "it.onnx.data", "offset", "16"}, {3, 0}).ok());
}

TEST_F(ExternalFilesTest, OtherTypesAndFoldersBelowAreRead) {
  folder_.Write("in/weights/w/half", std::string("\x00\x3c\x00\xc0", 4));
  const absl::StatusOr<OnnxTensor> half = Read({"location", "weights/w/half"}, {2}, kFloat16);
  ASSERT_TRUE(half.ok()) << half.status();
  EXPECT_THAT(half->array.values, ElementsAre(1, -2));
  folder_.Write("in/whole", std::string("\x05\0\0\0\0\0\0\0", 8));
  const absl::StatusOr<OnnxTensor> whole = Read({"location", "whole"}, {1}, kInt64);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_THAT(whole->array.values, ElementsAre(5));
  EXPECT_TRUE(whole->array.whole);
}

TEST_F(ExternalFilesTest, AWholeModelIsTheOneThatHasItsValuesInIt) {
  const auto with = [this](const std::string& constant, const std::string& initializer) {
    OnnxFile file;
    file.AddTensor(initializer).AddNode("Constant", {}, {"c"}, {TensorAttribute("value", constant)}, "the_constant");
    file.AddNode("Add", {"X", "c"}, {"sum"}).AddNode("Mul", {"sum", "k"}, {"Y"});
    ExternalFiles files(Inside());
    return file.Read(&files);
  };
  const auto there = with(ExternalTensor("c", {2}, kFloat, {"location", "it.onnx.data", "offset", "8"}),
                          ExternalTensor("k", {2}, kFloat, {"location", "it.onnx.data", "length", "8"}));
  const auto here = with(FloatTensor("c", {2}, {3, 4}), FloatTensor("k", {2}, {1, 2}));
  ASSERT_TRUE(there.ok()) << there.status();
  ASSERT_TRUE(here.ok()) << here.status();
  EXPECT_EQ(GraphTable(*there), GraphTable(*here));
  EXPECT_EQ(DescriptionJson(*there), DescriptionJson(*here));
}

TEST_F(ExternalFilesTest, GraphsInsideNodesHaveTheirValuesThereToo) {
  OnnxFile branch;
  branch.AddTensor(ExternalTensor("k", {2}, kFloat, {"location", "it.onnx.data", "offset", "8"}));
  OnnxFile file;
  file.AddNode("If", {"X"}, {"Y"}, {GraphAttribute("then_branch", branch.GraphBytes())});
  ExternalFiles files(Inside());
  const absl::StatusOr<OnnxModel> model = ParseOnnxModel(file.Bytes(), &files);
  ASSERT_TRUE(model.ok()) << model.status();
  const OnnxAttribute& then_branch = model->graph.nodes[0].attributes.at("then_branch");
  EXPECT_THAT(then_branch.graph->initializers.at("k").values, ElementsAre(3, 4));
}

TEST_F(ExternalFilesTest, WithoutAFolderNothingIsReadAndTheTensorIsNamed) {
  const auto tensor = ParseOnnxTensor(ExternalTensor("k", {2}, kFloat, {"location", "it.onnx.data"}), nullptr);
  EXPECT_THAT(tensor.status().message(),
              HasSubstr("tensor 'k' has its values in another file, which is not read here"));
}

TEST_F(ExternalFilesTest, WhatIsOutsideTheFolderIsNeverOpened) {
  const std::string outside = folder_.Write("secret", BytesOf({1, 2}));
  folder_.Write("in/w/x", BytesOf({1, 2}));
  for (const std::string& location :
       {outside, std::string("../secret"), std::string("w/../../secret"), std::string("w/.."), std::string("w//x"),
        std::string("/"), std::string(""), std::string("it.onnx.data\0", 13), std::string("w/")}) {
    EXPECT_THAT(RefusalOfLocation(location), AllOf(HasSubstr("tensor 'k' has its values in another file, '"),
                                                   HasSubstr("not a relative path of plain")))
        << location;
  }
}

TEST_F(ExternalFilesTest, SymbolicLinksAreNotFollowed) {
  const std::string outside = folder_.Write("secret/x", BytesOf({1, 2}));
  std::filesystem::create_symlink(outside, Inside() + "/link");
  std::filesystem::create_symlink(folder_.Path("secret"), Inside() + "/linked");
  std::filesystem::create_symlink("loop", Inside() + "/loop");
  for (const char* location : {"link", "linked/x", "loop"}) {
    EXPECT_THAT(RefusalOfLocation(location), HasSubstr("the path is of a symbolic link, or goes through one"));
  }
}

TEST_F(ExternalFilesTest, TheOnnxFileItselfMayBeReachedThroughALink) {
  std::filesystem::create_symlink(Inside(), folder_.Path("linked"));
  ExternalFiles files(folder_.Path("linked"));
  EXPECT_TRUE(ParseOnnxTensor(ExternalTensor("k", {2}, kFloat, {"location", "it.onnx.data"}), &files).ok());
}

TEST_F(ExternalFilesTest, OnlyRegularFilesAreReadAndAFifoHangsNobody) {
  std::filesystem::create_directories(Inside() + "/folder");
  ASSERT_EQ(mkfifo((Inside() + "/fifo").c_str(), 0600), 0);
  for (const char* location : {"folder", ".", "fifo"}) {
    EXPECT_THAT(RefusalOfLocation(location), HasSubstr("not a regular file"));
  }
  EXPECT_THAT(RefusalOfLocation("it.onnx.data/x"), HasSubstr("what is no folder"));
}

TEST_F(ExternalFilesTest, AFileThatIsMissingIsAskedFor) {
  EXPECT_THAT(
      RefusalOfLocation("lost.onnx.data"),
      HasSubstr("tensor 'k' has its values in another file, 'lost.onnx.data': no such file is in the folder of"));
  EXPECT_THAT(RefusalOf({"offset", "0"}), HasSubstr("tensor 'k' has its values in another file, its name"));
}

TEST_F(ExternalFilesTest, ALengthThatIsNotTheTensorsIsSaidWithTheOneThatIs) {
  for (const char* length : {"4", "12", "0", "18446744073709551615"}) {
    EXPECT_THAT(RefusalOf({"location", "it.onnx.data", "length", length}),
                HasSubstr(std::string("'it.onnx.data': its length is ") + length + " bytes; shape and type want 8"));
  }
}

TEST_F(ExternalFilesTest, AFileThatEndsBeforeTheTensorIsRefused) {
  for (const char* offset : {"9", "16", "17", "18446744073709551615", "18446744073709551608"}) {
    EXPECT_THAT(RefusalOf({"location", "it.onnx.data", "offset", offset}),
                HasSubstr(std::string("it has 16 bytes; from byte ") + offset + " on, 8 were wanted"));
  }
}

TEST_F(ExternalFilesTest, WhatIsNoNumberOfBytesIsQuoted) {
  for (const char* text : {"-8", "+8", " 8", "8 ", "8.0", "0x8", "eight", "", "1e1", "18446744073709551616"}) {
    for (const std::string key : {"offset", "length"}) {
      EXPECT_THAT(RefusalOf({"location", "it.onnx.data", key, text}),
                  HasSubstr("its " + key + " is '" + text + "'; a number of bytes was wanted"));
    }
  }
}

TEST_F(ExternalFilesTest, ValuesInBothPlacesAreRefused) {
  ExternalFiles files(Inside());
  const std::string both =
      FloatTensor("k", {2}, {1, 2}) + ExternalTensor("k", {}, kFloat, {"location", "it.onnx.data"});
  EXPECT_THAT(ParseOnnxTensor(both, &files).status().message(), HasSubstr("tensor 'k' has values in it and says"));
}

TEST_F(ExternalFilesTest, AllTensorsTogetherAreBounded) {
  const std::string path = Inside() + "/large";
  folder_.Write("in/large", "");
  constexpr int64_t kValues = int64_t{1} << 26;  // of bytes: a file that may still be sparse
  ASSERT_EQ(truncate(path.c_str(), kValues), 0);
  ExternalFiles files(Inside());
  const ExternalPlace place = {{"location", "large"}};
  for (int64_t read = 0; read < kMaxArrayValues; read += kValues) {
    ASSERT_TRUE(files.Read(place, NumberType::kInt8, kValues).ok());
  }
  EXPECT_THAT(files.Read(place, NumberType::kInt8, 1).status().message(),
              HasSubstr("'large': with it the tensors have"));
}

TEST_F(ExternalFilesTest, ALargeFileWithHolesIsRefused) {
  folder_.Write("in/large", "");
  ASSERT_EQ(truncate((Inside() + "/large").c_str(), (int64_t{1} << 26) + 1), 0);
  EXPECT_THAT(RefusalOfLocation("large"), AllOf(HasSubstr("'large': the file has a hole"), Not(HasSubstr(Inside()))));
}

}  // namespace
}  // namespace rondo::convert
