// Each element: its kernel is the float64 formula, a row's bits depend on nothing but its own inputs and state, and a
// step that fails changes nothing.

#include <algorithm>
#include <limits>
#include <ostream>
#include <utility>

#include "model/compute_thread.h"
#include "model/network/element_table.h"
#include "tests/unit/network/graph_model.h"

namespace rondo {
namespace {

constexpr size_t kRows = 7;
constexpr int kTimesteps = 12;

struct ElementCase {
  std::string name;
  std::string inputs;
  std::string elements;  // the last is the output, "y"
};

std::ostream& operator<<(std::ostream& out, const ElementCase& element) { return out << element.name; }

ElementCase Of(const std::string& name, const std::string& attributes, const std::string& inputs = R"({"size":6})") {
  return {name, inputs, absl::StrCat(R"({"name":"y","of":"input",)", attributes, "}")};
}

// Of a frame of 3 channels x 8.
ElementCase OfFrame(const std::string& name, const std::string& attributes) {
  return {name, R"({"size":24})",
          absl::StrCat(R"({"name":"f","type":"reshape","of":"input","channels":3,"length":8},)",
                       R"({"name":"y","of":"f",)", attributes, "}")};
}

// Of two values: the input, and numbers from 1 to 2.
ElementCase OfTwo(const std::string& name, const std::string& type, int units) {
  return {name, R"({"size":6})",
          absl::StrCat(R"({"name":"a","type":"dense","of":"input","units":)", units, R"(,"activation":"sigmoid"},)",
                       R"({"name":"one","type":"constant","units":1},{"name":"b","type":"add","of":["a","one"]},)",
                       R"({"name":"y","of":["input","b"],"type":")", type, "\"}")};
}

std::vector<ElementCase> Cells() {
  std::vector<ElementCase> cases = {
      Of("Lstm", R"("type":"lstm","units":19)"),
      Of("LstmPeepholes", R"("type":"lstm","units":19,"peepholes":true)"),
      Of("LstmHardSigmoid", R"("type":"lstm","units":5,"gate_activation":"hard_sigmoid")"),
      Of("LstmKeras3HardSigmoid",
         R"("type":"lstm","units":5,"gate_activation":{"function":"hard_sigmoid","alpha":0.16666667})"),
      Of("LstmReluOutput", R"("type":"lstm","units":5,"candidate_activation":"relu","output_activation":"softsign")"),
      Of("LstmInitialState", R"("type":"lstm","units":19,"initial_state":"given")"),
      Of("GruInitialState", R"("type":"gru","units":19,"initial_state":"given","gate_activation":"hard_sigmoid")"),
      Of("RnnTanh", R"("type":"rnn","units":19)"),
      Of("RnnRelu", R"("type":"rnn","units":19,"activation":"relu")"),
      Of("RnnSigmoid", R"("type":"rnn","units":19,"activation":"sigmoid")"),
  };
  for (const std::string reset : {"after", "before"}) {
    for (const std::string update : {"keep", "replace"}) {
      for (const std::string candidate : {"tanh", "relu"}) {
        cases.push_back(Of(absl::StrCat("Gru_", reset, "_", update, "_", candidate),
                           absl::StrCat(R"("type":"gru","units":19,"reset":")", reset, R"(","update":")", update,
                                        R"(","candidate_activation":")", candidate, "\"")));
      }
    }
  }
  return cases;
}

std::vector<ElementCase> CellsOfFrames() {
  std::vector<ElementCase> cases;
  const std::pair<std::string, std::string> cells[] = {
      {"Lstm", R"("cell":"lstm","units":5)"},
      {"LstmPeepholes", R"("cell":"lstm","units":5,"peepholes":true,"initial_state":"given")"},
      {"Gru", R"("cell":"gru","units":19)"},
      {"GruBefore", R"("cell":"gru","units":5,"reset":"before","update":"replace","initial_state":"given")"},
      {"GruHardSigmoid", R"("cell":"gru","units":5,"gate_activation":"hard_sigmoid")"},
      {"Rnn", R"("cell":"rnn","units":5,"activation":"relu")"},
  };
  for (const auto& [name, attributes] : cells) {
    cases.push_back(OfFrame(absl::StrCat("Frame", name), absl::StrCat(R"("type":"frame_cell",)", attributes)));
    cases.push_back(OfFrame(absl::StrCat("Frame", name, "Reverse"),
                            absl::StrCat(R"("type":"frame_cell","direction":"reverse",)", attributes)));
    cases.push_back(OfFrame(absl::StrCat("Position", name), absl::StrCat(R"("type":"position_cell",)", attributes)));
  }
  cases.push_back({"PositionLstmOfManyPlaces", R"({"size":2000})",
                   R"({"name":"f","type":"reshape","of":"input","channels":2,"length":1000},
          {"name":"y","type":"position_cell","of":"f","cell":"lstm","units":3})"});
  return cases;
}

std::vector<ElementCase> Functions() {
  std::vector<ElementCase> cases;
  for (const std::string function :
       {"linear", "relu", "sigmoid", "hard_sigmoid", "tanh", "leaky_relu", "elu", "selu", "softsign", "swish", "exp",
        "square", "abs", "negate", "clip", "softplus", "gelu", "softmax", "log_softmax"}) {
    cases.push_back(Of("Function_" + function, absl::StrCat(R"("type":"activation","function":")", function, "\"")));
    if (function == "gelu" || function == "softmax") {
      cases.push_back(
          Of("Dense_" + function, absl::StrCat(R"("type":"dense","units":37,"activation":")", function, "\"")));
    }
  }
  for (const std::string function : {"sqrt", "reciprocal", "log"}) {
    cases.push_back({"Function_" + function, R"({"size":6})",
                     absl::StrCat(R"({"name":"e","type":"activation","of":"input","function":"exp"},)",
                                  R"({"name":"y","type":"activation","of":"e","function":")", function, "\"}")});
  }
  return cases;
}

std::vector<ElementCase> Others() {
  return {
      Of("Dense", R"("type":"dense","units":37)"),
      Of("DenseOfOneUnit", R"("type":"dense","units":1,"activation":"sigmoid","bias":false)"),
      Of("Embedding", R"("type":"embedding","tokens":11,"units":3)", R"({"tokens":11})"),
      Of("Standardise", R"("type":"standardise")"),
      OfFrame("Scale", R"("type":"scale")"),
      OfTwo("Add", "add", 6),
      OfTwo("Subtract", "subtract", 6),
      OfTwo("Multiply", "multiply", 6),
      OfTwo("MultiplyByOneNumber", "multiply", 1),
      OfTwo("Divide", "divide", 6),
      {"MultiplyByOneAChannel", R"({"size":24})",
       R"({"name":"f","type":"reshape","of":"input","channels":3,"length":8},{"name":"m","type":"mean","of":"f"},
          {"name":"y","type":"multiply","of":["f","m"]})"},
      OfTwo("ConcatChannels", "concat", 2),
      {"ConcatLength", R"({"size":24})",
       R"({"name":"f","type":"reshape","of":"input","channels":3,"length":8},
          {"name":"g","type":"slice","of":"f","axis":"length","from":1,"to":8,"step":3},
          {"name":"y","type":"concat","of":["f","g"],"axis":"length"})"},
      OfFrame("SliceChannels", R"("type":"slice","from":1,"to":3)"),
      OfFrame("Transpose", R"("type":"transpose")"),
      OfFrame("PadZero", R"("type":"pad","left":2,"right":3)"),
      OfFrame("PadReflect", R"("type":"pad","left":2,"right":7,"mode":"reflect")"),
      OfFrame("PadEdge", R"("type":"pad","left":2,"right":3,"mode":"edge")"),
      Of("LagWindow", R"("type":"lag_window","length":5)", R"({"size":1})"),
      Of("LagWindowMinusNewest", R"("type":"lag_window","length":5,"minus_newest":true)", R"({"size":1})"),
      Of("LagWindowOfOne", R"("type":"lag_window","length":1)", R"({"size":1})"),
      Of("Delay", R"("type":"delay","steps":3)"),
      {"MemoryOfALaterElement", R"({"size":6})",
       R"({"name":"m","type":"memory","units":5,"next":"y"},{"name":"c","type":"concat","of":["input","m"]},
          {"name":"y","type":"dense","of":"c","units":5,"activation":"tanh"})"},
      {"MemoriesInARow", R"({"size":6})",
       R"({"name":"one","type":"memory","units":6,"next":"x"},{"name":"two","type":"memory","units":6,"next":"one"},
          {"name":"x","type":"reshape","of":"input","channels":2,"length":3},{"name":"y","type":"add","of":["two","x"]})"},
      Of("CausalConv", R"("type":"causal_conv1d","units":5,"kernel":3,"dilation":2,"activation":"relu")"),
      Of("CausalConvGroups", R"("type":"causal_conv1d","units":4,"kernel":4,"groups":2)"),
      Of("CausalConvDepthwise", R"("type":"causal_conv1d","units":6,"kernel":4,"groups":6,"bias":false)"),
      Of("CausalConvOfOneStep", R"("type":"causal_conv1d","units":4,"kernel":1)"),
      OfFrame("Conv", R"("type":"conv1d","channels":5,"kernel":3,"padding":[1,1],"activation":"relu")"),
      OfFrame("ConvStride", R"("type":"conv1d","channels":21,"kernel":3,"stride":2,"dilation":2,"padding":[0,4])"),
      OfFrame("ConvGroups", R"("type":"conv1d","channels":6,"kernel":2,"groups":3,"bias":false)"),
      OfFrame("ConvOverAll", R"("type":"conv1d","channels":6,"kernel":8)"),
      OfFrame("MaxPool", R"("type":"max_pool","kernel":3,"padding":[1,1])"),
      OfFrame("AveragePool", R"("type":"average_pool","kernel":3,"stride":2,"padding":[1,1])"),
      OfFrame("AveragePoolCounts",
              R"("type":"average_pool","kernel":3,"stride":2,"padding":[1,1],"count_padding":true)"),
      OfFrame("Mean", R"("type":"mean")"),
      OfFrame("Max", R"("type":"max")"),
      OfFrame("Sum", R"("type":"sum")"),
      Of("InstanceStatistics", R"("type":"instance_statistics","memory":5)"),
      {"InstanceScaleAndBack", R"({"size":3})",
       R"({"name":"s","type":"instance_statistics","of":"input"},{"name":"n","type":"instance_scale","of":["input","s"]},
          {"name":"d","type":"dense","of":"n","units":6},{"name":"y","type":"instance_unscale","of":["d","s"]})"},
      Of("LayerNorm", R"("type":"layer_norm")"),
      Of("L2Norm", R"("type":"l2_norm","epsilon":1e-12)"),
  };
}

std::vector<ElementCase> AllElements() {
  std::vector<ElementCase> cases = Others();
  for (const auto& more : {Cells(), CellsOfFrames(), Functions()}) cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

class ElementTest : public testing::TestWithParam<ElementCase> {
 protected:
  ElementTest() { PrepareComputeThread(); }

  std::unique_ptr<Network> Make(const Network::Options& options = {}) const {
    auto network = Network::Create(model_.spec, model_.weights, options);
    if (!network.ok()) ADD_FAILURE() << network.status();
    return *std::move(network);
  }

  const ModelFile model_ = GraphModel(GraphText(GetParam().inputs, GetParam().elements, "y"), 3);
  const std::unique_ptr<Network> network_ = Make();
};

TEST_P(ElementTest, IsItsFormula) {
  GraphSeries series(*network_, kRows);
  std::vector<Interpreter> interpreters(kRows, Interpreter(model_));
  const auto input_size = static_cast<size_t>(model_.spec.input_size());
  for (int t = 0; t < kTimesteps; ++t) {
    const std::vector<float> inputs = RandomGraphInputs(model_.spec, kRows, t + 1);
    series.Step(*network_, inputs, kRows);
    for (size_t i = 0; i < kRows; ++i) {
      const auto first = inputs.begin() + static_cast<std::ptrdiff_t>(i * input_size);
      const Doubles expected = interpreters[i].Step({first, first + static_cast<std::ptrdiff_t>(input_size)});
      ASSERT_EQ(expected.size(), series.outputs[i].size());
      for (size_t k = 0; k < expected.size(); ++k) {
        ASSERT_NEAR(series.outputs[i][k], expected[k], 1e-5 * std::max(1.0, std::abs(expected[k]))) << t << " " << k;
      }
    }
  }
}

TEST_P(ElementTest, ARowIsTheSameAloneBatchedAndWithEverySetOfInstructions) {
  GraphSeries batched(*network_, kRows);
  GraphSeries alone(*network_, kRows);
  std::vector<std::unique_ptr<Network>> others;
  std::vector<GraphSeries> other_series;
  for (const InstructionSet set : InstructionSets()) {
    Network::Options options;
    options.kernel = KernelKind::kRondo;
    options.instruction_set = set;
    others.push_back(Make(options));
    other_series.emplace_back(*others.back(), kRows);
  }
  for (int t = 0; t < kTimesteps; ++t) {
    const std::vector<float> inputs = RandomGraphInputs(model_.spec, kRows, t + 1);
    batched.Step(*network_, inputs, kRows);
    alone.Step(*network_, inputs, 1);
    for (size_t other = 0; other < others.size(); ++other) other_series[other].Step(*others[other], inputs, 3);
    for (size_t i = 0; i < kRows; ++i) {
      ASSERT_TRUE(SameBits(batched.outputs[i], alone.outputs[i])) << t;
      ASSERT_TRUE(SameBits(batched.states[i], alone.states[i])) << t;
      for (const GraphSeries& other : other_series) {
        ASSERT_TRUE(SameBits(batched.outputs[i], other.outputs[i])) << t;
        ASSERT_TRUE(SameBits(batched.states[i], other.states[i])) << t;
      }
    }
  }
}

TEST_P(ElementTest, AStepThatFailsLeavesTheState) {
  if (model_.spec.tokens > 0) return;  // a token is always finite
  GraphSeries series(*network_, 2);
  std::vector<float> inputs = RandomGraphInputs(model_.spec, 2, 1);
  series.Step(*network_, inputs, 2);
  const std::vector<std::vector<float>> before = series.states;
  std::fill_n(inputs.begin(), model_.spec.input_size(), std::numeric_limits<float>::quiet_NaN());
  StepRow rows[] = {series.Row(0, inputs), series.Row(1, inputs)};
  network_->Step(absl::MakeSpan(rows));
  EXPECT_TRUE(rows[1].finite);
  if (rows[0].finite) return;  // the function swallows a NaN
  EXPECT_TRUE(SameBits(series.states[0], before[0]));
}

TEST_P(ElementTest, AStateMayGoToAnotherPlace) {
  GraphSeries series(*network_, 1);
  GraphSeries moving(*network_, 1);
  std::vector<float> elsewhere(series.states[0].size());
  for (int t = 0; t < kTimesteps; ++t) {
    const std::vector<float> inputs = RandomGraphInputs(model_.spec, 1, t + 1);
    series.Step(*network_, inputs, 1);
    StepRow row = moving.Row(0, inputs);
    row.state_out = elsewhere.data();
    network_->Step({&row, 1});
    moving.states[0].swap(elsewhere);
    ASSERT_TRUE(SameBits(series.states[0], moving.states[0]));
    ASSERT_TRUE(SameBits(series.outputs[0], moving.outputs[0]));
  }
}

TEST_P(ElementTest, AnyNumbersAsAStateAreBorne) {
  GraphSeries series(*network_, 1);
  for (const float value : {-1.0f, 0.5f, 3e38f, -3e38f, 65536.0f, 4.0f}) {
    std::fill(series.states[0].begin(), series.states[0].end(), value);
    const std::vector<float> inputs = RandomGraphInputs(model_.spec, 1, 1);
    StepRow row = series.Row(0, inputs);
    network_->Step({&row, 1});
  }
}

TEST_P(ElementTest, ItsTextReadsAsTheSameElement) {
  const std::string text = SpecJson(model_.spec);
  const absl::StatusOr<ModelSpec> again = ParseSpecJson(text);
  ASSERT_TRUE(again.ok()) << again.status() << text;
  EXPECT_EQ(SpecJson(*again), text);
}

INSTANTIATE_TEST_SUITE_P(All, ElementTest, testing::ValuesIn(AllElements()),
                         [](const auto& tested) { return tested.param.name; });

TEST(ElementTableTest, EveryTypeIsTested) {
  std::string all;
  for (const ElementCase& tested : AllElements()) all += tested.elements;
  for (const ElementType& type : ElementTypes()) {
    if (absl::StartsWith(type.name, "sequence_")) continue;  // whole_sequence_test
    EXPECT_TRUE(absl::StrContains(all, absl::StrCat("\"type\":\"", type.name, "\""))) << type.name;
  }
}

}  // namespace
}  // namespace rondo
