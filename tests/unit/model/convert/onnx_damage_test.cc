// Bytes of an ONNX file that are cut, changed, or announce what is not there.

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/convert/export/wire_writer.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_network.h"
#include "model/convert/onnx/onnx_tensor.h"
#include "model/convert/onnx/wire_reader.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value > 0x7F; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7F) | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

// The head of a field of bytes that announces `size` of them.
std::string Head(uint64_t number, uint64_t size) { return Varint(number << 3 | 2) + Varint(size); }

TEST(OnnxDamageTest, EveryFileThatIsCutIsRefused) {
  const std::string bytes = OneCell("LSTM", 4).Bytes();
  ASSERT_TRUE(ParseOnnxModel(bytes).ok());
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    EXPECT_FALSE(ParseOnnxModel(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(OnnxDamageTest, NoByteThatIsChangedDoesHarm) {
  const std::string bytes = OneCell("GRU", 3).Bytes();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      const absl::StatusOr<OnnxModel> model = ParseOnnxModel(changed);
      if (model.ok()) ReadOnnxNetwork(*model, {}).IgnoreError();
    }
  }
}

TEST(OnnxDamageTest, AnAnnouncementOfTwoGigabytesTakesNoMemory) {
  for (const uint64_t size : {uint64_t{1} << 31, uint64_t{1} << 62, ~uint64_t{0}}) {
    const std::string graph = Head(7, size) + "abc";
    EXPECT_THAT(ParseOnnxModel(graph).status().message(), HasSubstr("no ModelProto with a graph"));
    const std::string raw = Head(9, size) + "abc";
    EXPECT_THAT(ParseOnnxTensor(raw, nullptr).status().message(), HasSubstr("damaged"));
  }
  const std::string tensor = RawTensor("k", {int64_t{1} << 31}, 1, "abcd");
  EXPECT_THAT(ParseOnnxTensor(tensor, nullptr).status().message(),
              HasSubstr("tensor 'k' has a shape with a negative or too"));
}

// Ifs inside each other's branches, without copying the inner ones for each outer one.
std::string Nested(int depth) {
  std::vector<std::string> heads;
  uint64_t size = 0;
  for (int i = 0; i < depth; ++i) {
    const std::string name = Head(1, 11) + "then_branch", op = Head(4, 2) + "If";
    const std::string graph = Head(6, size);
    const uint64_t attribute = name.size() + graph.size() + size;
    const std::string node = op + Head(5, attribute);
    heads.push_back(Head(1, node.size() + attribute) + node + name + graph);
    size += heads.back().size();
  }
  std::string bytes = Head(7, size);
  for (size_t i = heads.size(); i-- > 0;) bytes += heads[i];
  return bytes;
}

TEST(OnnxDamageTest, GraphsAHundredThousandDeepAreRefusedBeforeTheStackEnds) {
  EXPECT_TRUE(ParseOnnxModel(Nested(3)).ok());
  EXPECT_THAT(ParseOnnxModel(Nested(100000)).status().message(), HasSubstr("more than 16 deep inside each other"));
}

TEST(OnnxDamageTest, AVarintWithoutEndIsDamage) {
  WireReader reader("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_FALSE(reader.Next());
  EXPECT_TRUE(reader.damaged());
}

TEST(OnnxDamageTest, AFieldOfAnotherKindThanItsNumberHasIsEmpty) {
  WireWriter writer;
  writer.Whole(9, 5);
  WireReader reader(writer.bytes());
  ASSERT_TRUE(reader.Next());
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_EQ(reader.number32(), 0);
}

}  // namespace
}  // namespace rondo::convert
