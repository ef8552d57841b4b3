// Which input of a graph is a state, and which output gives it back: told by their names and shapes.

#include "model/convert/onnx/state_names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rondo::convert {
namespace {

OnnxValue ValueOf(const std::string& name, const std::vector<int64_t>& shape) {
  OnnxValue value{name, false, true, {}};
  for (const int64_t size : shape) value.shape.push_back({"", size});
  return value;
}

TEST(StateNamesTest, BothSidesOfAStateHaveOneName) {
  const std::vector<std::pair<std::string, std::string>> pairs = {{"conv_cache", "conv_cache_out"},
                                                                  {"in_cache0", "out_cache0"},
                                                                  {"h0", "hn"},
                                                                  {"h", "h_out"},
                                                                  {"input_2", "output_2"},
                                                                  {"state", "stateN"},
                                                                  {"h_in", "h_next"},
                                                                  {"prev_state_1", "new_state_1"}};
  for (const auto& [in, out] : pairs) EXPECT_EQ(StateName(in), StateName(out)) << in;
  EXPECT_NE(StateName("h"), StateName("c_out"));
  EXPECT_NE(StateName("in_cache0"), StateName("out_cache1"));
  EXPECT_EQ(StateName("input"), "");
}

TEST(StateNamesTest, AnInputIsAStateIfAnOutputHasItsNameAndShape) {
  OnnxGraph graph;
  graph.inputs = {ValueOf("mix", {1, 5}), ValueOf("cache", {1, 3}), ValueOf("speed", {1, 2})};
  graph.outputs = {ValueOf("enhanced", {1, 5}), ValueOf("cache_out", {1, 3}), ValueOf("speed_out", {1, 9})};
  EXPECT_THAT(StatesByName(graph), testing::ElementsAre("cache"));
}

TEST(StateNamesTest, AFrameAndWhatComesOfItAreNoState) {
  OnnxGraph graph;
  graph.inputs = {ValueOf("audio_in", {1, 5}), ValueOf("h_in", {1, 3})};
  graph.outputs = {ValueOf("audio_out", {1, 5}), ValueOf("h_out", {1, 3})};
  EXPECT_THAT(StatesByName(graph), testing::ElementsAre("h_in"));
}

TEST(StateNamesTest, AGraphIsNotAllStates) {
  OnnxGraph graph;
  graph.inputs = {ValueOf("h_in", {1, 3})};
  graph.outputs = {ValueOf("y", {1, 3}), ValueOf("h_out", {1, 3})};
  EXPECT_TRUE(StatesByName(graph).empty());
}

TEST(StateNamesTest, WholeNumbersBesideASequenceAreItsLengthAndBesideAStateAreTokens) {
  OnnxGraph graph;
  graph.inputs = {ValueOf("h", {1, 3}), ValueOf("numbers", {4})};
  OnnxValue& numbers = graph.inputs[1];
  EXPECT_FALSE(IsOfLengths(graph, numbers, {}));
  numbers.whole = true;
  EXPECT_TRUE(IsOfLengths(graph, numbers, {}));
  EXPECT_FALSE(IsOfLengths(graph, numbers, {{"h", "hn"}}));
}

}  // namespace
}  // namespace rondo::convert
