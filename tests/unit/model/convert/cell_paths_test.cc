// Where the cells of an ONNX graph go: through the timesteps, along a timestep's frame, or through the timesteps at
// each of its places.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A GRU of 2 inputs and 1 unit over `in`: [sequence, batch, 2], or with layout 1 [batch, sequence, 2].
OnnxFile& AddGru(OnnxFile& file, const std::string& in, const std::string& direction = "forward", int64_t layout = 0) {
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  const auto weights = [&](const std::string& name, int64_t width) {
    const std::vector<float> values(static_cast<size_t>(directions * 3 * width), 0.5f);
    file.AddTensor(FloatTensor(name, {directions, 3, width}, values));
  };
  weights("W", 2);
  weights("R", 1);
  return file.AddNode(
      "GRU", {in, "W", "R"}, {"Y"},
      {WholeAttribute("hidden_size", 1), TextAttribute("direction", direction), WholeAttribute("layout", layout)},
      "the_cell");
}

std::vector<std::string> TypesOf(const OnnxFile& file) {
  const absl::StatusOr<ElementGraph> graph = file.Read();
  EXPECT_TRUE(graph.ok()) << graph.status();
  std::vector<std::string> types;
  if (!graph.ok()) return types;
  for (const Element& element : graph->elements()) {
    const bool moves =
        element.type == "reshape" || element.type == "transpose" || element.type == "concat" || element.type == "slice";
    if (!moves) types.push_back(element.type);
  }
  return types;
}

// X [time, 1, 5, 2] as frames [time, 5, 2].
OnnxFile Frames() {
  OnnxFile file({-1, 1, 5, 2});
  return file.AddTensor(WholeTensor("axis", {1}, {1})).AddNode("Squeeze", {"X", "axis"}, {"frames"});
}

TEST(CellPathsTest, ACellWhoseSequenceIsOfATimestepGoesAlongTheFrame) {
  OnnxFile file = Frames(), both = Frames();
  EXPECT_THAT(TypesOf(AddGru(file, "frames", "forward", 1)), ElementsAre("frame_cell"));
  EXPECT_THAT(TypesOf(AddGru(both, "frames", "bidirectional", 1)), ElementsAre("frame_cell", "frame_cell"));
}

TEST(CellPathsTest, ACellWhoseBatchIsOfATimestepHasAStateAtEachPlace) {
  OnnxFile file = Frames();
  EXPECT_THAT(TypesOf(AddGru(file, "frames")), ElementsAre("position_cell"));
}

TEST(CellPathsTest, SequencesOfABatchAreNoPlacesOfAFrame) {
  OnnxFile file({-1, 5, 2});
  EXPECT_THAT(TypesOf(AddGru(file, "X")), ElementsAre("gru"));
}

// X turned round in time, as `turned`.
OnnxFile TurnedRound() {
  OnnxFile file;
  file.AddTensor(WholeTensor("from", {1}, {-1})).AddTensor(WholeTensor("to", {1}, {INT64_MIN}));
  file.AddTensor(WholeTensor("axis", {1}, {0})).AddTensor(WholeTensor("step", {1}, {-1}));
  return file.AddNode("Slice", {"X", "from", "to", "axis", "step"}, {"turned"});
}

TEST(CellPathsTest, ACellOverASequenceThatIsTurnedRoundGoesBackward) {
  OnnxFile file = TurnedRound();
  AddGru(file, "turned", "bidirectional", 0).AddNode("Slice", {"Y", "from", "to", "axis", "step"}, {"back"});
  file.AddTensor(WholeTensor("flat", {3}, {0, 0, -1})).AddNode("Reshape", {"back", "flat"}, {"answer"});
  OnnxOptions options;
  options.outputs = {"answer"};
  const absl::StatusOr<ElementGraph> graph = file.Read(nullptr, options);
  ASSERT_TRUE(graph.ok()) << graph.status();
  // What goes forward over the turned sequence is first, as in the file.
  ASSERT_THAT(graph->elements().size(), testing::Ge(2U));
  EXPECT_EQ(graph->elements()[0].attributes.value("direction", ""), "reverse");
  EXPECT_EQ(graph->elements()[1].attributes.value("direction", ""), "forward");
  EXPECT_EQ(graph->Find(graph->output().name)->of[0], graph->elements()[0].name);
}

TEST(CellPathsTest, WhatAForwardCellEndsWithOverATurnedSequenceIsOfTheFirstTimestep) {
  OnnxFile file = TurnedRound();
  AddGru(file, "turned").AddNode("Gather", {"Y", "last"}, {"answer"});
  file.AddTensor(WholeTensor("last", {}, {-1}));
  OnnxOptions options;
  options.outputs = {"answer"};
  EXPECT_TRUE(file.Read(nullptr, options).ok()) << file.Read(nullptr, options).status();
  OnnxFile first = TurnedRound();
  AddGru(first, "turned").AddTensor(WholeTensor("last", {}, {0})).AddNode("Gather", {"Y", "last"}, {"answer"});
  ASSERT_TRUE(first.Read(nullptr, options).ok());
}

TEST(CellPathsTest, BackwardThroughTheTimestepsAtEachPlaceIsRefused) {
  OnnxFile file = Frames();
  const absl::StatusOr<ElementGraph> graph = AddGru(file, "frames", "bidirectional").Read();
  EXPECT_THAT(graph.status().message(),
              HasSubstr("'the_cell' (GRU) goes backward through the timesteps at each of 5 places of a timestep"));
}

}  // namespace
}  // namespace rondo::convert
