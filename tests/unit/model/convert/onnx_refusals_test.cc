// What a graph may say that is not supported: it is refused by the node's name, with what would be.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

std::string RefusalOf(const OnnxFile& file) {
  const absl::StatusOr<ElementGraph> graph = file.Read();
  return graph.ok() ? "it was read" : std::string(graph.status().message());
}

OnnxFile OneNode(absl::string_view op, const Names& inputs = {"X"}, const Names& attributes = {}) {
  OnnxFile file;
  file.AddNode(op, inputs, {"Y"}, attributes);
  return file;
}

TEST(OnnxRefusalsTest, AttributesOfCellsThatAreNotSupportedAreNamed) {
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {NumberAttribute("clip", 1), "has clip"},
      {WholeAttribute("layout", 2), "has layout=2; 0 and 1 are supported"},
      {WholeAttribute("input_forget", 1), "has input_forget=1"},
      {TextAttribute("direction", "sideways"), "has direction=sideways"},
      {TextsAttribute("activations", {"Sigmoid", "Affine", "Tanh"}), "has the activation 'affine'"},
      {WholeAttribute("projection", 3), "has the attribute 'projection', which is not supported"}};
  for (const auto& [attribute, message] : wanted) {
    EXPECT_THAT(RefusalOf(OneCell("LSTM", 4, {attribute})), HasSubstr("node 'the_cell' (LSTM) " + message));
  }
}

TEST(OnnxRefusalsTest, AHardSigmoidIsTakenWithTheTwoUsualAlphasOnly) {
  for (const float alpha : {0.2F, 1.0F / 6}) {
    EXPECT_EQ(RefusalOf(OneCell("LSTM", 4,
                                {TextsAttribute("activations", {"HardSigmoid", "Tanh", "Tanh"}),
                                 NumbersAttribute("activation_alpha", {alpha})})),
              "it was read");
  }
  EXPECT_THAT(RefusalOf(OneCell("GRU", 3,
                                {TextsAttribute("activations", {"HardSigmoid", "Tanh"}),
                                 NumbersAttribute("activation_alpha", {0.25F})})),
              HasSubstr("'the_cell' (GRU) has a HardSigmoid with alpha=0.25 and beta=0.5; 0.2 or 1/6"));
}

TEST(OnnxRefusalsTest, WeightsOfAnotherShapeAreNamedWithTheOneThatWasWanted) {
  EXPECT_THAT(RefusalOf(OneCell("LSTM", 3)), HasSubstr("'the_cell' (LSTM) has W [1, 3, 2]; [1, 4, 2] was wanted"));
}

TEST(OnnxRefusalsTest, ACycleAndAMissingInitializerAreNamed) {
  EXPECT_THAT(RefusalOf(OneNode("Add", {"X", "Y"})), HasSubstr("'the_node' (Add) reads 'Y', which no input"));
  EXPECT_THAT(RefusalOf(OneNode("Add", {"X", "k"})), HasSubstr("'the_node' (Add) reads 'k', which no input"));
  OnnxFile cycle;
  cycle.AddNode("Add", {"X", "b"}, {"a"}, {}, "first").AddNode("Relu", {"a"}, {"b"}, {}, "second");
  EXPECT_THAT(RefusalOf(cycle), HasSubstr("'first' (Add) reads 'b'"));
}

TEST(OnnxRefusalsTest, OperatorsAndAttributesThatAreNotKnownAreNamed) {
  EXPECT_THAT(RefusalOf(OneNode("Det")), HasSubstr("'the_node' (Det) is an operator that is not supported"));
  EXPECT_THAT(RefusalOf(OneNode("Loop")), HasSubstr("'the_node' (Loop) is a loop"));
  EXPECT_THAT(RefusalOf(OneNode("LeakyRelu", {"X"}, {NumberAttribute("slope", 1)})),
              HasSubstr("'the_node' (LeakyRelu) has the attribute 'slope', which is not supported"));
}

TEST(OnnxRefusalsTest, ASoftmaxOverOnePlaceIsNotTakenForOneOfATimestepsNumbers) {
  // Of the sequences of a batch, and of an axis that was added.
  for (const int64_t axis : {1, 3}) {
    OnnxFile file;
    file.AddTensor(FloatTensor("W", {2, 3}, {1, 2, 3, 4, 5, 6})).AddTensor(WholeTensor("behind", {1}, {3}));
    file.AddNode("MatMul", {"X", "W"}, {"product"}).AddNode("Unsqueeze", {"product", "behind"}, {"wide"});
    file.AddNode("Softmax", {"wide"}, {"Y"}, {WholeAttribute("axis", axis)}, "shares");
    EXPECT_THAT(RefusalOf(file),
                HasSubstr(absl::StrCat("'shares' (Softmax) is over axis ", axis, " of [13, 1, 3, 1], along")));
  }
  OnnxFile one({-1, 1, 1});
  one.AddNode("Softmax", {"X"}, {"Y"}, {WholeAttribute("axis", 2)});
  EXPECT_EQ(RefusalOf(one), "it was read");
}

TEST(OnnxRefusalsTest, WhatStopsTheAttemptThatComesFurthestIsSaid) {
  // Followed with the last axis as that of the timesteps, the first node would stop it.
  OnnxFile file({1, 1, 4});
  file.AddTensor(FloatTensor("W", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  file.AddNode("MatMul", {"X", "W"}, {"product"}, {}, "linear").AddNode("Det", {"product"}, {"Y"}, {}, "last");
  EXPECT_THAT(RefusalOf(file), HasSubstr("'last' (Det) is an operator that is not supported"));
}

TEST(OnnxRefusalsTest, ADimensionWithoutANameIsCalledByItsInputAndAxis) {
  OnnxFile file({1, 3, -2});
  file.AddNode("Tanh", {"X"}, {"Y"});
  OnnxOptions options;
  options.dimensions["X.2"] = 5;
  const absl::StatusOr<ElementGraph> graph = file.Read(nullptr, options);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->input_size(), 5);
  options.dimensions["X.1"] = 3;
  EXPECT_THAT(file.Read(nullptr, options).status().message(),
              HasSubstr("--dimension=X.1=3 names no open dimension of an input"));
}

TEST(OnnxRefusalsTest, AxesBeyondATensorAreNamed) {
  EXPECT_THAT(RefusalOf(OneNode("Softmax", {"X"}, {WholeAttribute("axis", 7)})),
              HasSubstr("'the_node' (Softmax) names axis 7 of a tensor with 3"));
}

TEST(OnnxRefusalsTest, ShapesThatOverflowAreNamed) {
  const Sizes huge = {int64_t{1} << 40, int64_t{1} << 40};
  OnnxFile reshape = OneNode("Reshape", {"X", "to"});
  reshape.AddTensor(WholeTensor("to", {2}, huge));
  EXPECT_THAT(RefusalOf(reshape), HasSubstr("'the_node' (Reshape) makes"));
  OnnxFile filled;
  filled.AddTensor(WholeTensor("to", {2}, huge)).AddNode("ConstantOfShape", {"to"}, {"Y"});
  EXPECT_THAT(RefusalOf(filled), HasSubstr("'the_node' (ConstantOfShape) makes a tensor of"));
  OnnxFile negative;
  negative.AddTensor(WholeTensor("to", {1}, {-5})).AddNode("ConstantOfShape", {"to"}, {"Y"});
  EXPECT_THAT(RefusalOf(negative), HasSubstr("'the_node' (ConstantOfShape) makes a tensor of [-5]"));
}

TEST(OnnxRefusalsTest, ValuesThatDoNotFitTheirShapeAreNamed) {
  const auto with = [](const std::string& tensor) {
    OnnxFile file = OneNode("Add", {"X", "k"});
    return RefusalOf(file.AddTensor(tensor));
  };
  EXPECT_THAT(with(RawTensor("k", {2}, 1, "abcd")), HasSubstr("tensor 'k' has 4 bytes; its shape [2] wants 8"));
  EXPECT_THAT(with(RawTensor("k", {-1}, 1, "")), HasSubstr("tensor 'k' has a shape with a negative"));
  EXPECT_THAT(with(RawTensor("k", {INT64_MAX, 2}, 1, "")), HasSubstr("tensor 'k' has a shape with a negative or too"));
  EXPECT_THAT(with(RawTensor("k", {1}, 8, "text")), HasSubstr("tensor 'k' has numbers of the type 8"));
}

}  // namespace
}  // namespace rondo::convert
