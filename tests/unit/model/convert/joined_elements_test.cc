// Elements that are joined with those before them, and numbers that are made floats, stay what the graph computes.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "model/convert/graph/model_writer.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

// X times a matrix, plus a bias: "sum".
OnnxFile LinearOfSequence() {
  OnnxFile file;
  file.AddTensor(FloatTensor("W", {2, 3}, {1, 2, 3, 4, 5, 6})).AddTensor(FloatTensor("b", {3}, {7, 8, 9}));
  file.AddNode("MatMul", {"X", "W"}, {"product"}, {}, "linear")
      .AddNode("Add", {"product", "b"}, {"sum"}, {}, "shifted");
  return file;
}

ElementGraph Simplified(const OnnxFile& file) {
  absl::StatusOr<ElementGraph> graph = file.Read();
  if (!graph.ok()) {
    ADD_FAILURE() << graph.status();
    return {};
  }
  Simplify(&*graph);
  return *std::move(graph);
}

TEST(JoinedElementsTest, AnActivationGoesIntoTheProductThatNothingElseReads) {
  OnnxFile file = LinearOfSequence();
  file.AddNode("Sigmoid", {"sum"}, {"Y"}, {}, "gate");
  const ElementGraph graph = Simplified(file);
  ASSERT_EQ(graph.elements().size(), 1U);
  EXPECT_EQ(graph.elements()[0].attributes.value("activation", ""), "sigmoid");
}

TEST(JoinedElementsTest, AProductWithABiasThatAGateReadsTwiceKeepsItsOwnAnswer) {
  OnnxFile file = LinearOfSequence();
  file.AddNode("Sigmoid", {"sum"}, {"open"}, {}, "gate").AddNode("Mul", {"sum", "open"}, {"Y"}, {}, "silu");
  const ElementGraph graph = Simplified(file);
  ASSERT_EQ(graph.elements().size(), 3U);
  EXPECT_FALSE(graph.elements()[0].attributes.contains("activation"));
  EXPECT_EQ(graph.elements()[1].type, "activation");
  EXPECT_EQ(graph.elements()[2].of, (std::vector<std::string>{"linear", "gate"}));
}

TEST(JoinedElementsTest, AnEmbeddingOfEightBitsIsMadeFloatsBehindTheLookUp) {
  OnnxFile file({-1, 1});
  file.AddTensor(RawTensor("table", {2, 3}, 2, std::string("\x0a\x0b\x0c\x0d\x0e\x0f", 6)))
      .AddTensor(FloatTensor("scale", {}, {0.5F}))
      .AddTensor(RawTensor("zero", {}, 2, std::string("\x0a", 1)));
  file.AddNode("Gather", {"table", "X"}, {"rows"}, {}, "look_up")
      .AddNode("DequantizeLinear", {"rows", "scale", "zero"}, {"Y"}, {}, "floats");
  const ElementGraph graph = Simplified(file);
  ASSERT_EQ(graph.elements().size(), 2U);
  EXPECT_EQ(graph.elements()[1].type, "scale");
  EXPECT_EQ(graph.elements()[1].slots[0].second.values, (std::vector<double>{0.5, 0.5, 0.5}));
  EXPECT_EQ(graph.elements()[1].slots[1].second.values, (std::vector<double>{-5, -5, -5}));
}

}  // namespace
}  // namespace rondo::convert
