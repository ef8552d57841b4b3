#include "model/safetensors.h"

#include <sys/stat.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/raw_safetensors.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SafetensorsTest : public ::testing::Test {
 protected:
  absl::StatusOr<SafetensorsReader> Open(const std::string& bytes) {
    WriteBytes(path_, bytes);
    return SafetensorsReader::Open(path_);
  }

  void ExpectRefused(const std::string& bytes, const std::string& message) {
    const absl::Status status = Open(bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }

  // One tensor 'a' of two floats, whose JSON is `entry`.
  void ExpectEntryRefused(const std::string& entry, const std::string& message) {
    ExpectRefused(RawFile("{\"a\":" + entry + "}", std::string(8, '\0')), message);
  }

  // The values of one tensor with these bytes.
  absl::StatusOr<std::vector<float>> Values(const std::string& type, const std::string& bytes, int64_t count) {
    const absl::StatusOr<SafetensorsReader> reader = Open(RawFile("", {{"a", type, {count}, bytes}}));
    if (!reader.ok()) return reader.status();
    return reader->Read(reader->tensors()[0]);
  }

  template <typename T>
  static std::string Bytes(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.Path("m.safetensors");
};

TEST_F(SafetensorsTest, ReadsMetadataAndTensorsInOrderOfTheirBytes) {
  const auto reader = Open(RawFile(R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"__metadata__":{"k":"v"},)"
                                   R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   )",
                                   Bytes<float>({1, 2, 3})));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(reader->metadata().at("k"), "v");
  ASSERT_EQ(reader->tensors().size(), 2u);
  EXPECT_EQ(reader->tensors()[0].name, "a");
  EXPECT_THAT(*reader->Read(reader->tensors()[0]), ElementsAre(1));
  EXPECT_THAT(*reader->Read(reader->tensors()[1]), ElementsAre(2, 3));
}

TEST_F(SafetensorsTest, ConvertsEveryType) {
  EXPECT_THAT(*Values("F32", Bytes<float>({1.5f, -2}), 2), ElementsAre(1.5f, -2));
  EXPECT_THAT(*Values("F64", Bytes<double>({1.5, 0.1}), 2), ElementsAre(1.5f, 0.1f));
  // 1, -2, the largest, the smallest normal, the smallest subnormal, the largest subnormal, -0.
  EXPECT_THAT(*Values("F16", Bytes<uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x03FF, 0x8000}), 7),
              ElementsAre(1, -2, 65504, 0x1p-14f, 0x1p-24f, 1023 * 0x1p-24f, 0));
  EXPECT_THAT(*Values("BF16", Bytes<uint16_t>({0x3F80, 0xC000, 0x3DCD}), 3), ElementsAre(1, -2, 0.10009765625f));
  // More than one chunk.
  EXPECT_EQ(*Values("F64", Bytes(std::vector<double>(20000, 0.25)), 20000), std::vector<float>(20000, 0.25f));
}

TEST_F(SafetensorsTest, RefusesValuesThatAreNotFiniteInFloat32) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [&](const absl::StatusOr<std::vector<float>>& values, const std::string& message) {
    EXPECT_EQ(values.status().code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(values.status().message()), HasSubstr(message));
  };
  refused(Values("F32", Bytes<float>({1, infinity}), 2), "tensor 'a' has the value inf at index 1");
  refused(Values("F32", Bytes<float>({nan, 1}), 2), "tensor 'a' has the value nan at index 0");
  refused(Values("F64", Bytes<double>({1, 2, 1e300}), 3), "the value inf at index 2");
  refused(Values("F16", Bytes<uint16_t>({0xFC00}), 1), "the value -inf at index 0");
  refused(Values("F16", Bytes<uint16_t>({0x7C01}), 1), "the value nan at index 0");
  refused(Values("BF16", Bytes<uint16_t>({0x7F80}), 1), "the value inf at index 0");
}

TEST_F(SafetensorsTest, RefusesAHeaderLengthThatTheFileDoesNotHave) {
  ExpectRefused("", "the file has 0 bytes");
  ExpectRefused("1234567", "the file has 7 bytes");
  ExpectRefused(std::string("\x03\0\0\0\0\0\0\0{}", 10), "the header announces 3 bytes; the file has 2 more");
  ExpectRefused(std::string("\0\0\x10\0\0\0\0\0{}", 10), "the header announces 1048576 bytes; the file has 2 more");
  ExpectRefused(std::string("\x01\0\x10\0\0\0\0\0{}", 10), "the header announces 1048577 bytes; at most 1048576");
  ExpectRefused(std::string(8, '\xff'), "the header announces 18446744073709551615 bytes");
}

TEST_F(SafetensorsTest, RefusesAHeaderThatIsNotAJsonObject) {
  ExpectRefused(RawFile("", ""), "does not start with '{'");
  ExpectRefused(RawFile(" {}", ""), "does not start with '{'");
  ExpectRefused(RawFile("[]", ""), "does not start with '{'");
  ExpectRefused(RawFile("\xEF\xBB\xBF{}", ""), "does not start with '{'");
  ExpectRefused(RawFile("{", ""), "not JSON: syntax error at byte 2");
  ExpectRefused(RawFile("{} x", ""), "not JSON: syntax error");
  ExpectRefused(RawFile(std::string("{}\0{}", 5), ""), "not JSON: NUL at byte 3");
  ExpectRefused(RawFile("{\"\xff\":1}", ""), "not JSON: syntax error");
  ExpectRefused(RawFile("{\"a\":1}//", ""), "not JSON: syntax error");
  ExpectRefused(RawFile("{\"a\":1e999}", ""), "has a number that a double cannot hold");
}

TEST_F(SafetensorsTest, RefusesDeepJsonAndDuplicateKeys) {
  const size_t depth = 500000;
  ExpectRefused(RawFile("{\"a\":" + std::string(depth, '['), ""), "nested deeper than 16");
  ExpectRefused(RawFile("{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}", ""),
                "nested deeper than 16");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  ExpectRefused(RawFile(objects, ""), "nested deeper than 16");
  ExpectRefused(RawFile(R"({"a":1,"a":1})", ""), "has the key 'a' twice");
  ExpectRefused(RawFile(R"({"__metadata__":{"k":"1","k":"2"}})", ""), "has the key 'k' twice");
  ExpectRefused(RawFile(R"({"a":{"dtype":"F32","dtype":"F32"}})", ""), "has the key 'dtype' twice");
  ExpectRefused(RawFile(R"({"a":1,"\u0061":1})", ""), "has the key 'a' twice");
}

TEST_F(SafetensorsTest, RefusesMetadataThatIsNotStrings) {
  ExpectRefused(RawFile(R"({"__metadata__":[]})", ""), "__metadata__ is an array; it must be an object");
  ExpectRefused(RawFile(R"({"__metadata__":{"k":1}})", ""), "__metadata__.k is a number; it must be a string");
}

TEST_F(SafetensorsTest, RefusesWrongTensorEntries) {
  ExpectEntryRefused("[]", "tensor 'a' is an array; it must be an object");
  ExpectEntryRefused("{}", "tensor 'a'.dtype is missing");
  ExpectEntryRefused(R"({"dtype":"F32"})", "tensor 'a'.shape is missing");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2]})", "tensor 'a'.data_offsets is missing");
  ExpectEntryRefused(R"({"dtype":"I64","shape":[1],"data_offsets":[0,8]})",
                     "tensor 'a'.dtype is 'I64'; it must be F32 or F64 or F16 or BF16");
  ExpectEntryRefused(R"({"dtype":5,"shape":[1],"data_offsets":[0,8]})", "tensor 'a'.dtype is a number");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1})", "tensor 'a' has the unknown key 'x'");
  ExpectEntryRefused(R"({"dtype":"F32","shape":{},"data_offsets":[0,8]})", "tensor 'a'.shape is an object");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})",
                     "tensor 'a'.shape must hold whole numbers");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})",
                     "tensor 'a'.shape must hold whole numbers");
  ExpectEntryRefused(R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})",
                     "tensor 'a'.shape must hold whole numbers");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[1,1,1,1,2],"data_offsets":[0,8]})",
                     "tensor 'a'.shape has 5 dimensions; at most 4");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})", "data_offsets must be two whole numbers");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})", "data_offsets must be two whole numbers");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]})",
                     "data_offsets must be two whole numbers");
}

TEST_F(SafetensorsTest, RefusesSizesThatDisagreeOrOverflow) {
  ExpectEntryRefused(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})",
                     "data_offsets are 0 to 8; its shape [3] wants 12 bytes");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", "data_offsets are 8 to 0");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]})", "its size overflows");
  ExpectEntryRefused(R"({"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]})", "its size overflows");
  ExpectEntryRefused(R"({"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,8]})", "its size overflows");
}

TEST_F(SafetensorsTest, RefusesHolesOverlapsAndATail) {
  const auto file = [](const std::string& first, const std::string& second, size_t payload) {
    return RawFile(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":)" + first +
                       R"(},"b":{"dtype":"F32","shape":[2],"data_offsets":)" + second + "}}",
                   std::string(payload, '\0'));
  };
  EXPECT_TRUE(Open(file("[0,8]", "[8,16]", 16)).ok());
  ExpectRefused(file("[0,8]", "[12,20]", 20), "tensor 'b' begins at byte 12 and leaves a hole before it");
  ExpectRefused(file("[0,8]", "[4,12]", 12), "tensor 'b' begins at byte 4 and overlaps the one before");
  ExpectRefused(file("[0,8]", "[0,8]", 8), "begins at byte 0 and overlaps the one before");
  ExpectRefused(file("[4,12]", "[12,20]", 20), "tensor 'a' begins at byte 4 and leaves a hole");
  ExpectRefused(file("[0,8]", "[8,16]", 17), "the tensors end at byte 16 after the header; the file has 17 there");
  ExpectRefused(file("[0,8]", "[8,16]", 15), "the tensors end at byte 16 after the header; the file has 15 there");
}

TEST_F(SafetensorsTest, AFileThatShrinksAfterItsHeaderWasReadIsAnError) {
  const auto reader = Open(RawFile("", {Floats("a", {100})}));
  ASSERT_TRUE(reader.ok());
  WriteBytes(path_, "short");
  EXPECT_EQ(reader->Read(reader->tensors()[0]).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(reader->file().CheckUnchanged().message()), HasSubstr("changed while it was read"));
}

TEST_F(SafetensorsTest, OnlyARegularFileIsRead) {
  EXPECT_EQ(SafetensorsReader::Open(path_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(SafetensorsReader::Open(folder_.Path("")).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(SafetensorsReader::Open(path_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SafetensorsTest, AnEmptyTensorTakesNoBytes) {
  const auto reader = Open(RawFile("", {{"a", "F32", {0, 4}, ""}, Floats("b", {1})}));
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_THAT(*reader->Read(reader->tensors()[0]), ElementsAre());
}

TEST_F(SafetensorsTest, NamesInMessagesAreEscapedAndCut) {
  ExpectRefused(RawFile(R"({"a\n\u0007":1})", ""), R"(tensor 'a\n\x07' is a number)");
  ExpectRefused(RawFile("{\"" + std::string(5000, 'x') + "\":1}", ""), "'" + std::string(100, 'x') + "'... is");
}

TEST_F(SafetensorsTest, AHeaderTooLongToBeReadIsNotWritten) {
  std::vector<float> values = {1};
  const absl::Status status =
      WriteSafetensors({{"k", std::string(kMaxSafetensorsHeaderBytes, 'x')}}, {{"a", {{1}}, &values}}, path_);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadBytes(path_), "");
}

}  // namespace
}  // namespace rondo
