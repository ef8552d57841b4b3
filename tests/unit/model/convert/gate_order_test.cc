// The order of the gates in the files of each framework, in ours: LSTM i f g o, GRU r z n.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/convert/keras/keras_file.h"
#include "model/convert/torch/module_stack.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using Values = std::vector<double>;

const Array& SlotOf(const ElementGraph& graph, absl::string_view name) {
  static const auto& none = *new Array();
  for (const auto& [slot, array] : graph.elements()[0].slots) {
    if (slot == name) return array;
  }
  return none;
}

Array Counting(std::vector<int64_t> shape, double from) {
  Array array = Filled(std::move(shape), 0);
  for (double& value : array.values) value = from++;
  return array;
}

TEST(GateOrderTest, OnnxLstmHasThemInputOutputForgetCell) {
  const absl::StatusOr<ElementGraph> graph = OneCell("LSTM", 4).Read();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(SlotOf(*graph, "weight_ih").values, (Values{0, 1, 4, 5, 6, 7, 2, 3}));
  EXPECT_EQ(SlotOf(*graph, "weight_hh").values, (Values{100, 102, 103, 101}));
  EXPECT_EQ(SlotOf(*graph, "bias_ih").values, (Values{200, 202, 203, 201}));
  EXPECT_EQ(SlotOf(*graph, "bias_hh").values, (Values{204, 206, 207, 205}));
}

TEST(GateOrderTest, OnnxGruHasThemUpdateResetHiddenAndResetsBefore) {
  for (const int64_t after : {0, 1}) {
    const auto graph = OneCell("GRU", 3, {WholeAttribute("linear_before_reset", after)}).Read();
    ASSERT_TRUE(graph.ok()) << graph.status();
    EXPECT_EQ(SlotOf(*graph, "weight_ih").values, (Values{2, 3, 0, 1, 4, 5}));
    EXPECT_EQ(SlotOf(*graph, "bias_hh").values, (Values{204, 203, 205}));
    EXPECT_EQ(graph->elements()[0].attributes["reset"], after != 0 ? "after" : "before");
    EXPECT_EQ(graph->elements()[0].attributes["update"], "keep");
  }
}

// A Keras file of one layer with 1 unit and 2 inputs.
ElementGraph ReadKerasCell(const std::string& type, int64_t gates, Array bias, const std::string& more = "") {
  KerasFile file;
  file.config = R"({"class_name": "Sequential", "config": {"layers": [
      {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [null, null, 2]}},
      {"class_name": ")" +
                type + R"(", "config": {"name": "cell", "units": 1, "return_sequences": true)" + more + R"(}}]}})";
  file.version = "2.4.0";
  file.layers["cell"] = {{"cell/kernel:0", "cell/recurrent_kernel:0", "cell/bias:0"},
                         {Counting({2, gates}, 0), Counting({1, gates}, 100), std::move(bias)}};
  ElementGraph graph;
  BuildKeras(file, "", &graph);
  return graph;
}

TEST(GateOrderTest, KerasLstmHasThemInputForgetCellOutput) {
  const ElementGraph graph = ReadKerasCell("LSTM", 4, Counting({4}, 200));
  ASSERT_TRUE(graph.status().ok()) << graph.status();
  EXPECT_EQ(SlotOf(graph, "weight_ih").values, (Values{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(SlotOf(graph, "weight_hh").values, (Values{100, 101, 102, 103}));
  EXPECT_EQ(SlotOf(graph, "bias_ih").values, (Values{200, 201, 202, 203}));
}

TEST(GateOrderTest, KerasGruHasThemUpdateResetHiddenWithTwoBiasesIfItResetsAfter) {
  const ElementGraph graph = ReadKerasCell("GRU", 3, Counting({2, 3}, 200), R"(, "reset_after": true)");
  ASSERT_TRUE(graph.status().ok()) << graph.status();
  EXPECT_EQ(SlotOf(graph, "weight_ih").values, (Values{1, 4, 0, 3, 2, 5}));
  EXPECT_EQ(SlotOf(graph, "bias_ih").values, (Values{201, 200, 202}));
  EXPECT_EQ(SlotOf(graph, "bias_hh").values, (Values{204, 203, 205}));
  EXPECT_EQ(graph.elements()[0].attributes.value("reset", "after"), "after");
}

TEST(GateOrderTest, Keras1IsRefusedByName) {
  const ElementGraph graph = ReadKerasCell("LSTM", 4, Counting({4}, 200), R"(, "inner_activation": "sigmoid")");
  EXPECT_EQ(
      graph.status().message(),
      "layer 'cell' (LSTM) is of Keras 1; a file that Keras 2 or 3 saved is supported, and Keras 2 loads those of "
      "Keras 1");
}

TEST(GateOrderTest, TimestepsInFrontOfTheSequencesAreRefusedByName) {
  const ElementGraph graph = ReadKerasCell("LSTM", 4, Counting({4}, 200), R"(, "time_major": true)");
  EXPECT_EQ(graph.status().message(),
            "layer 'cell' (LSTM) has time_major=True; timesteps as the second axis are supported");
}

TEST(GateOrderTest, PyTorchHasOursAlready) {
  WeightFile file;
  file.tensors = {{"rnn.weight_ih_l0", Counting({4, 2}, 0)},
                  {"rnn.weight_hh_l0", Counting({4, 1}, 100)},
                  {"rnn.bias_ih_l0", Counting({4}, 200)},
                  {"rnn.bias_hh_l0", Counting({4}, 204)}};
  ElementGraph graph;
  BuildStack(file, {}, &graph);
  ASSERT_TRUE(graph.status().ok()) << graph.status();
  EXPECT_EQ(SlotOf(graph, "weight_ih").values, (Values{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(SlotOf(graph, "bias_hh").values, (Values{204, 205, 206, 207}));
}

}  // namespace
}  // namespace rondo::convert
