// Descriptions of graphs: what is wrong with one is said by the element's name, and nothing is believed unchecked.

#include "model/network/graph.h"

#include "gmock/gmock.h"
#include "model/fingerprint.h"
#include "model/safetensors.h"
#include "tests/temporary_folder.h"
#include "tests/unit/network/graph_model.h"

namespace rondo {
namespace {

using testing::HasSubstr;

std::string Message(const std::string& text) {
  const absl::StatusOr<ModelSpec> spec = ParseSpecJson(text);
  const absl::Status status = spec.ok() ? spec->Validate() : spec.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

std::string MessageOf(const std::string& elements, const std::string& of = "y", const std::string& reply = "") {
  return Message(GraphText(R"({"size":6})", elements, of, reply));
}

TEST(GraphTest, TheLargestBoundIsReadAgainAsItIsWritten) {
  const auto spec = ParseSpecJson(
      GraphText(R"({"size":1})",
                R"({"name":"y","type":"activation","of":"input","function":"clip","alpha":0.1,"beta":1e30})", "y"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  const auto again = ParseSpecJson(SpecJson(*spec));
  EXPECT_TRUE(again.ok()) << again.status();
}

TEST(GraphTest, WhatIsWrongIsSaidByTheElementsName) {
  const struct {
    std::string elements, message;
  } cases[] = {
      {"", "elements is of size 0; it must be an array of 1 to 512"},
      {R"({"type":"dense"})", "elements[0].name is missing"},
      {R"({"name":"input","type":"dense"})", "elements[0].name is 'input'; it must be 1 to 64 letters"},
      {R"({"name":"a b","type":"dense"})", "elements[0].name is 'a b'"},
      {R"({"name":"y","type":"attention","of":"input"})",
       "element 'y' is of type 'attention'; it must be one of dense"},
      {R"({"name":"y","type":"dense","of":"z","units":1})",
       "element 'y'.of names 'z'; it must name input or an earlier"},
      {R"({"name":"y","type":"dense","of":"y","units":1})",
       "element 'y'.of names 'y'; it must name input or an earlier"},
      {R"({"name":"y","type":"dense","of":["input","input"],"units":1})", "names 2 values; the element takes 1"},
      {R"({"name":"y","type":"dense","of":7,"units":1})", "element 'y'.of has a number"},
      {R"({"name":"y","type":"dense","of":"input"})", "element 'y'.units is missing"},
      {R"({"name":"y","type":"dense","of":"input","units":0})", "element 'y'.units is 0; it must be 1 to 1048576"},
      {R"({"name":"y","type":"dense","of":"input","units":1,"unit":1})", "element 'y' has the unknown key 'unit'"},
      {R"({"name":"y","type":"dense","of":"input","units":1,"activation":"mish"})", "element 'y'.activation is 'mish'"},
      {R"({"name":"y","type":"dense","of":"input","units":1,"bias":1})",
       "element 'y'.bias is a number; it must be true"},
      {R"({"name":"y","type":"lstm","of":"input","units":2,"gate_activation":"softmax"})", "takes no softmax"},
      {R"({"name":"y","type":"frame_cell","of":"input","units":2})", "element 'y'.cell is missing"},
      {R"({"name":"y","type":"frame_cell","of":"input","cell":"cfc","units":2})", "element 'y'.cell is 'cfc'"},
      {R"({"name":"y","type":"position_cell","of":"input","cell":"gru","units":2,"direction":"reverse"})",
       "element 'y' has the unknown key 'direction'"},
      {R"({"name":"y","type":"slice","of":"input","from":3,"to":3})", "element 'y'.from is 3; it must be below to, 3"},
      {R"({"name":"y","type":"slice","of":"input","to":7})", "element 'y'.to is 7; it must be 1 to 6"},
      {R"({"name":"y","type":"reshape","of":"input","channels":4,"length":2})", "4 x 2; the value has 6 numbers"},
      {R"({"name":"y","type":"lag_window","of":"input","length":2})",
       "names a value of 6 numbers; a lag_window takes one"},
      {R"({"name":"y","type":"conv1d","of":"input","channels":2,"kernel":2})",
       "reaches over 2 numbers; the padded length is 1"},
      {R"({"name":"y","type":"conv1d","of":"input","channels":2,"kernel":1,"groups":4})",
       "groups is 4; it must divide 6"},
      {R"({"name":"y","type":"conv1d","of":"input","channels":2,"kernel":1,"padding":[1]})",
       "must be two whole numbers"},
      {R"({"name":"y","type":"pad","of":"input","left":1,"mode":"reflect"})",
       "a reflection takes less than the length"},
      {R"({"name":"y","type":"embedding","of":"input","tokens":5,"units":2})",
       "takes 5 tokens; the inputs are numbers"},
      {R"({"name":"a","type":"dense","of":"input","units":2},{"name":"y","type":"add","of":["input","a"]})",
       "names values of 6 x 1 and 2 x 1"},
      {R"({"name":"a","type":"dense","of":"input","units":2},{"name":"a","type":"l2_norm","of":"a"})",
       "element 'a' is there twice"},
      {R"({"name":"y","type":"memory","units":6})", "element 'y'.next is missing"},
      {R"({"name":"y","type":"memory","units":6,"next":""})", "element 'y'.next is empty"},
      {R"({"name":"y","type":"memory","units":6,"next":"input"})", "next names 'input'; no element has that name"},
      {R"({"name":"y","type":"memory","of":"input","units":6,"next":"y"})", "names 1 values; the element takes 0"},
      {R"({"name":"y","type":"memory","units":5,"next":"a"},{"name":"a","type":"l2_norm","of":"input"})",
       "element 'y': next names 'a', which answers 6 numbers; 5 were wanted"},
      {R"({"name":"y","type":"memory","units":6,"next":"a"},{"name":"a","type":"sequence_mean","of":"input"})",
       "a memory goes timestep by timestep; element 'a' needs whole sequences"},
  };
  for (const auto& [elements, message] : cases) EXPECT_THAT(MessageOf(elements), HasSubstr(message)) << elements;
}

TEST(GraphTest, WhatIsOnlyAnnouncedHasBounds) {
  EXPECT_THAT(MessageOf(R"({"name":"y","type":"pad","of":"input","left":1048576})"), HasSubstr("it may have 1048576"));
  EXPECT_THAT(MessageOf(R"({"name":"y","type":"delay","of":"input","steps":65536},
                           {"name":"z","type":"delay","of":"input","steps":65536},
                           {"name":"w","type":"delay","of":"input","steps":65536})"),
              HasSubstr("element 'w': up to it a timestep has"));
  EXPECT_THAT(
      MessageOf(R"({"name":"y","type":"causal_conv1d","of":"input","units":1,"kernel":65536,"dilation":65536})"),
      HasSubstr("a state"));
  std::string many;
  for (int i = 0; i <= Graph::kMaxElements; ++i) {
    absl::StrAppend(&many, i == 0 ? "" : ",", R"({"name":"e)", i, R"(","type":"l2_norm","of":"input"})");
  }
  EXPECT_THAT(MessageOf(many, "e0"), HasSubstr("elements is of size 513"));
}

TEST(GraphTest, TheOutputMustFitTheReply) {
  const std::string dense = R"({"name":"y","type":"dense","of":"input","units":6})";
  EXPECT_THAT(MessageOf(dense, "z"), HasSubstr("output.of is 'z'; no element has that name"));
  EXPECT_THAT(MessageOf(dense, "y", R"(,"outputs":[{"name":"a"}])"), HasSubstr("element 'y' answers 6 numbers"));
  EXPECT_THAT(MessageOf(dense, "y", R"(,"outputs":{"size":3},"horizon":3)"), HasSubstr("is 9"));
  EXPECT_THAT(MessageOf(dense, "y", R"(,"outputs":{"size":0})"), HasSubstr("output.outputs.size is 0"));
  EXPECT_THAT(Message(R"({"format":3})"), HasSubstr("format is 3; this version reads 1 and 2"));
  EXPECT_THAT(Message(GraphText("[]", dense, "y")), HasSubstr("inputs is empty"));
}

TEST(GraphTest, OutputsAreCountedIfTheyAreNotNamed) {
  const ModelFile model =
      GraphModel(GraphText(R"({"size":257})", R"({"name":"y","type":"dense","of":"input","units":12})", "y",
                           R"(,"horizon":2,"head":"gaussian")"));
  EXPECT_EQ(model.spec.inputs.size(), 257u);
  EXPECT_EQ(model.spec.inputs[256].name, "x256");
  EXPECT_EQ(model.spec.outputs.size(), 3u);
  EXPECT_EQ(model.spec.output_size(), 12);
  EXPECT_THAT(SpecJson(model.spec), HasSubstr(R"("inputs":{"size":257})"));
}

TEST(GraphTest, StatesStandOneAfterTheOther) {
  const ModelFile model = GraphModel(GraphText(
      R"([{"name":"a"}])",
      R"({"name":"w","type":"lag_window","of":"input","length":4},{"name":"r","type":"lstm","of":"w","units":3},
         {"name":"g","type":"gru","of":"r","units":2},{"name":"y","type":"dense","of":["g"],"units":1})",
      "y"));
  const Graph& graph = *model.spec.graph;
  EXPECT_EQ(graph.nodes()[0].state_offset, 0u);
  EXPECT_EQ(graph.nodes()[1].state_offset, 5u);
  EXPECT_EQ(graph.nodes()[2].state_offset, 11u);
  EXPECT_EQ(model.spec.state_size(), 13);
}

TEST(GraphTest, TheGraphsFingerprintIsThatOfItsShape) {
  const auto fingerprint = [](const std::string& units, uint32_t seed) {
    return GraphFingerprintOf(
        GraphModel(GraphText(R"({"size":2})", R"({"name":"y","type":"gru","of":"input","units":)" + units + "}", "y"),
                   seed)
            .spec);
  };
  EXPECT_EQ(fingerprint("3", 1), fingerprint("3", 2));
  EXPECT_EQ(fingerprint("3", 1), fingerprint(R"(3,"reset":"after")", 1));
  EXPECT_NE(fingerprint("3", 1), fingerprint("4", 1));
  EXPECT_NE(fingerprint("3", 1), fingerprint(R"(3,"reset":"before")", 1));
}

class GraphFileTest : public testing::Test {
 protected:
  std::string Path() const { return folder_.Path("graph.safetensors"); }

  std::string ReadMessage() const {
    const auto model = ReadModelFile(Path());
    EXPECT_TRUE(absl::IsDataLoss(model.status())) << model.status();
    return std::string(model.status().message());
  }

  const TemporaryFolder folder_;
  ModelFile model_ = GraphModel(
      GraphText(R"({"size":2})",
                R"({"name":"s","type":"standardise","of":"input"},{"name":"y","type":"gru","of":"s","units":3})", "y"));
};

TEST_F(GraphFileTest, ComesBackAsItWasWritten) {
  ASSERT_TRUE(WriteModelFile(model_, Path()).ok());
  const auto again = ReadModelFile(Path());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(SpecJson(again->spec), SpecJson(model_.spec));
  EXPECT_EQ(again->weights.tensors, model_.weights.tensors);
  EXPECT_EQ(FingerprintOf(again->spec, again->weights), FingerprintOf(model_.spec, model_.weights));
}

TEST_F(GraphFileTest, TensorsThatDoNotFitAreRefusedByName) {
  const std::vector<TensorSlot> slots = TensorSlots(model_.spec, &model_.weights);
  const auto write = [&](const std::vector<TensorSlot>& changed) {
    ASSERT_TRUE(WriteSafetensors({{"rondo", SpecJson(model_.spec)}}, changed, Path()).ok());
  };
  std::vector<TensorSlot> changed(slots.begin(), slots.end() - 1);
  write(changed);
  EXPECT_THAT(ReadMessage(), HasSubstr("tensor 'y.bias_hh' is missing"));
  changed.pop_back();
  write(changed);
  const auto without_biases = ReadModelFile(Path());
  ASSERT_TRUE(without_biases.ok()) << without_biases.status();
  EXPECT_EQ(without_biases->weights.tensors.back(), std::vector<float>(9));
  changed = slots;
  changed[2].name = "y.weight";
  write(changed);
  EXPECT_THAT(ReadMessage(), HasSubstr("tensor 'y.weight' is extra; no element takes it"));
  changed = slots;
  changed[2].shape.dimensions = {2, 9};
  write(changed);
  EXPECT_THAT(ReadMessage(), HasSubstr("tensor 'y.weight_ih' is [2][9]; the graph takes [9][2]"));
  model_.weights.tensors[1][0] = 0;
  write(slots);
  EXPECT_THAT(ReadMessage(), HasSubstr("element 's': a deviation is 0"));
}

}  // namespace
}  // namespace rondo
