#include "server/rpc/triton/open_inference_tensors.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "tests/unit/model/sample_models.h"
#include "tests/unit/rpc/infer_requests.h"

namespace rondo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kMaxTimesteps = 100;

Model ServedModelOf(ModelFile file) {
  Network::Options options;
  options.kernel = KernelKind::kReference;
  Model model;
  model.name = "m";
  model.version = 1;
  model.network = Network::Create(std::move(file.spec), std::move(file.weights), options).value();
  return model;
}

// A model of the inputs temp and wind, without calendar inputs.
Model PlainModel() {
  ModelFile file = WeatherModel(Cell::kLstm, 1);
  file.spec.calendar.clear();
  FillWeights(&file);
  return ServedModelOf(std::move(file));
}

inference::ModelInferRequest WholeRequest(const std::vector<int64_t>& shape, const std::vector<float>& values) {
  inference::ModelInferRequest request;
  AddInput("INPUT", "FP32", shape, &request);
  request.add_raw_input_contents(Raw(values));
  return request;
}

class OpenInferenceTensorsTest : public ::testing::Test {
 protected:
  absl::Status Read(const inference::ModelInferRequest& request, const Model& model) {
    received_ = Received(request);
    return ReadTensors(received_, model, kMaxTimesteps, &tensors_);
  }
  absl::Status Read(const inference::ModelInferRequest& request) { return Read(request, plain_); }

  void ExpectRefused(const inference::ModelInferRequest& request, const Model& model, const std::string& text) {
    const absl::Status status = Read(request, model);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status << "; wanted: " << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
  void ExpectRefused(const inference::ModelInferRequest& request, const std::string& text) {
    ExpectRefused(request, plain_, text);
  }

  const Model plain_ = PlainModel();
  const Model calendar_ = ServedModelOf(WeatherModel(Cell::kLstm, 1));
  const Model tokens_ = ServedModelOf(TokenModel(Cell::kGru));
  const inference::ModelInferRequest good_ = WholeRequest({2, 2}, {1, 2, 3, 4});
  InferRequest received_;  // what tensors_ points to
  InferTensors tensors_;
};

TEST_F(OpenInferenceTensorsTest, RawAndTypedContentsAndNamedInputsAreTheSameValues) {
  ASSERT_TRUE(Read(good_).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(1, 2, 3, 4));
  inference::ModelInferRequest typed;
  auto* const contents = AddInput("INPUT", "FP32", {2, 2}, &typed)->mutable_contents();
  for (const float value : {1, 2, 3, 4}) contents->add_fp32_contents(value);
  ASSERT_TRUE(Read(typed).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(1, 2, 3, 4));
  inference::ModelInferRequest named;
  AddInput("wind", "FP32", {2}, &named);
  AddInput("temp", "FP32", {2, 1}, &named);
  named.add_raw_input_contents(Raw<float>({2, 4}));
  named.add_raw_input_contents(Raw<float>({1, 3}));
  ASSERT_TRUE(Read(named).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(1, 2, 3, 4));
}

TEST_F(OpenInferenceTensorsTest, TheFloatsOfOneTensorAreReadWhereTheyAre) {
  ASSERT_TRUE(Read(good_).ok());
  EXPECT_EQ(static_cast<const void*>(tensors_.values.data()), received_.raw_input_contents(0).data());
  EXPECT_TRUE(tensors_.value_buffer.empty());
}

TEST_F(OpenInferenceTensorsTest, BothContentsAtOnceAreRefusedInTritonsWords) {
  inference::ModelInferRequest both = good_;
  both.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  ExpectRefused(both, "contents field must not be specified when using raw_input_contents for 'INPUT'");
  both.mutable_inputs(0)->mutable_contents()->Clear();  // empty, but there
  ExpectRefused(both, "contents field must not be specified");
}

TEST_F(OpenInferenceTensorsTest, RawContentsThatAreSomeBytesOffAreRefused) {
  const std::string whole = good_.raw_input_contents(0);
  for (const size_t off : {1, 2, 3, 4}) {
    inference::ModelInferRequest request = good_;
    request.set_raw_input_contents(0, whole.substr(off));
    ExpectRefused(request, "shape [2,2] takes 16");
    request.set_raw_input_contents(0, whole + std::string(off, 'x'));
    ExpectRefused(request, absl::StrCat("input 'INPUT' has ", 16 + off, " bytes of FP32; shape [2,2] takes 16"));
  }
}

TEST_F(OpenInferenceTensorsTest, ThereIsOneRawContentsAnInput) {
  inference::ModelInferRequest request = good_;
  request.add_raw_input_contents("");
  ExpectRefused(request, "the request has 1 inputs and 2 raw_input_contents; wanted one an input");
  // Far behind the end of what there is: INPUT comes last.
  inference::ModelInferRequest many;
  for (int i = 0; i < 10'000; ++i) AddInput("x", "FP32", {1}, &many);
  AddInput("INPUT", "FP32", {2, 2}, &many);
  many.add_raw_input_contents("");
  ExpectRefused(many, "the request has 10001 inputs and 1 raw_input_contents");
  inference::ModelInferRequest none = good_;
  none.clear_raw_input_contents();
  ExpectRefused(none, "input 'INPUT' has 0 bytes of FP32");
}

TEST_F(OpenInferenceTensorsTest, ShapesThatNoTensorHasAreRefused) {
  constexpr int64_t k2To31 = int64_t{1} << 31, k2To62 = int64_t{1} << 62;
  const std::vector<std::vector<int64_t>> shapes = {
      {},
      {0, 2},
      {2, 0},
      {-1, 2},
      {-2, -2},
      {2},
      {k2To31, 2},
      {k2To62, 2},
      {k2To31, k2To31 * 2},
      {k2To62, 4},
      {4, k2To62},
      {2, 2, 1},
      {2, 2, 2},
      {1, 1, 2, 2},
      {101, 2},
      {1, 4},
      {std::numeric_limits<int64_t>::min(), 2},
      {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()}};
  for (const std::vector<int64_t>& shape : shapes) {
    inference::ModelInferRequest request = WholeRequest(shape, {1, 2, 3, 4});
    ExpectRefused(request, "wanted [timesteps,2] with 1 to 100 timesteps");
    request.clear_raw_input_contents();
    for (const float value : {1, 2, 3, 4}) request.mutable_inputs(0)->mutable_contents()->add_fp32_contents(value);
    ExpectRefused(request, "wanted [timesteps,2] with 1 to 100 timesteps");
  }
}

TEST_F(OpenInferenceTensorsTest, ALongShapeIsShownInPart) {
  ExpectRefused(WholeRequest(std::vector<int64_t>(100'000, 7), {1}), "has shape [7,7,7,7,7,7,7,7,...]; wanted");
}

TEST_F(OpenInferenceTensorsTest, AnotherDatatypeIsRefusedAlsoWithTheRightBytes) {
  for (const char* datatype : {"", "fp32", "INT32", "UINT64", "FP16", "BYTES", "FP64", "BF16"}) {
    inference::ModelInferRequest request = good_;
    request.mutable_inputs(0)->set_datatype(datatype);
    ExpectRefused(request, absl::StrCat("input 'INPUT' has datatype '", datatype, "'; wanted FP32"));
  }
  inference::ModelInferRequest typed;
  AddInput("INPUT", "FP32", {2, 2}, &typed)->mutable_contents()->mutable_fp64_contents()->Resize(4, 1.0);
  ExpectRefused(typed, "has 0 bytes of FP32");
}

TEST_F(OpenInferenceTensorsTest, TensorsThatMissOrComeTwiceOrAreUnknownAreRefused) {
  ExpectRefused(inference::ModelInferRequest(), "input 'temp' is missing; wanted INPUT, or one tensor for each");
  inference::ModelInferRequest twice = good_;
  *twice.add_inputs() = good_.inputs(0);
  twice.add_raw_input_contents(good_.raw_input_contents(0));
  ExpectRefused(twice, "the request has 2 inputs");
  inference::ModelInferRequest unknown = good_;
  AddInput("HIDDEN", "FP32", {1}, &unknown);
  unknown.add_raw_input_contents(Raw<float>({1}));
  ExpectRefused(unknown, "the request has 2 inputs");

  inference::ModelInferRequest named;
  AddInput("temp", "FP32", {1}, &named);
  named.add_raw_input_contents(Raw<float>({1}));
  ExpectRefused(named, "input 'wind' is missing");
  AddInput("wind", "FP32", {2}, &named);
  named.add_raw_input_contents(Raw<float>({1, 2}));
  ExpectRefused(named, "input 'wind' has 2 timesteps; input 'temp' has 1");
  named.mutable_inputs(1)->set_shape(0, 1);
  named.set_raw_input_contents(1, Raw<float>({1}));
  ASSERT_TRUE(Read(named).ok());
  AddInput("wind", "FP32", {1}, &named);
  named.add_raw_input_contents(Raw<float>({1}));
  ExpectRefused(named, "the request has 3 inputs and 0 TIMES; wanted INPUT or 2 named inputs, each once");
}

TEST_F(OpenInferenceTensorsTest, ATextOfTheClientsIsShownShortAndPrintable) {
  inference::ModelInferRequest request = good_;
  request.mutable_inputs(0)->set_datatype("\n\x7f" + std::string(1000, 'G'));
  ExpectRefused(request, absl::StrCat("has datatype '\\n\\x7f", std::string(62, 'G'), "...'; wanted FP32"));
}

TEST_F(OpenInferenceTensorsTest, OnlyTheOutputThatThereIsMayBeAskedForAndOnce) {
  inference::ModelInferRequest request = good_;
  request.add_outputs()->set_name("OUTPUT");
  EXPECT_TRUE(Read(request).ok());
  (*request.mutable_outputs(0)->mutable_parameters())["binary_data"].set_bool_param(true);
  EXPECT_TRUE(Read(request).ok());
  request.add_outputs()->set_name("OUTPUT");
  ExpectRefused(request, "output OUTPUT is asked for more than once");
  request.mutable_outputs(1)->set_name("STATE");
  ExpectRefused(request, "unexpected inference output 'STATE'");
  request.mutable_outputs()->RemoveLast();
  (*request.mutable_outputs(0)->mutable_parameters())["classification"].set_int64_param(3);
  ExpectRefused(request, "output OUTPUT does not take parameter classification");
}

TEST_F(OpenInferenceTensorsTest, SharedMemoryIsRefusedByName) {
  inference::ModelInferRequest request = good_;
  (*request.mutable_inputs(0)->mutable_parameters())["shared_memory_region"].set_string_param("r");
  ExpectRefused(request, "input 'INPUT' is in shared memory");
}

TEST_F(OpenInferenceTensorsTest, CalendarModelsTakeTimesAndJudgeThemAsOtherTensors) {
  inference::ModelInferRequest request = good_;
  AddInput("TIMES", "INT64", {2}, &request);
  request.add_raw_input_contents(Raw<int64_t>({86400, 172800}));
  ASSERT_TRUE(Read(request, calendar_).ok());
  EXPECT_THAT(tensors_.times, ElementsAre(86400, 172800));
  request.set_raw_input_contents(1, Raw<int64_t>({86400, 172800}).substr(3));
  ExpectRefused(request, calendar_, "input 'TIMES' has 13 bytes of INT64; shape [2] takes 16");
  request.mutable_inputs(1)->set_datatype("FP64");
  ExpectRefused(request, calendar_, "input 'TIMES' has datatype 'FP64'; wanted INT64");
  request.mutable_inputs(1)->set_datatype("INT64");
  request.mutable_inputs(1)->set_shape(0, int64_t{1} << 62);
  ExpectRefused(request, calendar_, "input 'TIMES' has shape");
  request.mutable_inputs(1)->set_shape(0, 2);
  request.set_raw_input_contents(1, Raw<int64_t>({1, 2}));
  *request.add_inputs() = request.inputs(1);
  request.add_raw_input_contents(Raw<int64_t>({1, 2}));
  ExpectRefused(request, calendar_, "2 TIMES; wanted");
}

TEST_F(OpenInferenceTensorsTest, NamedInputsAndTimesComeTogether) {
  inference::ModelInferRequest request;
  AddInput("TIMES", "INT64", {1}, &request);
  AddInput("wind", "FP32", {1}, &request);
  AddInput("temp", "FP32", {1}, &request);
  request.add_raw_input_contents(Raw<int64_t>({86400}));
  request.add_raw_input_contents(Raw<float>({3}));
  request.add_raw_input_contents(Raw<float>({16}));
  ASSERT_TRUE(Read(request, calendar_).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(16, 3));
  EXPECT_THAT(tensors_.times, ElementsAre(86400));
}

TEST_F(OpenInferenceTensorsTest, TokenModelsTakeIntegers) {
  inference::ModelInferRequest request;
  AddInput("INPUT", "INT64", {3, 1}, &request);
  request.add_raw_input_contents(Raw<int64_t>({0, 9, 4}));
  ASSERT_TRUE(Read(request, tokens_).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(0, 9, 4));
  request.mutable_inputs(0)->mutable_shape()->RemoveLast();
  ASSERT_TRUE(Read(request, tokens_).ok());
  EXPECT_THAT(tensors_.values, ElementsAre(0, 9, 4));
  request.mutable_inputs(0)->set_datatype("FP32");
  ExpectRefused(request, tokens_, "input 'INPUT' has datatype 'FP32'; wanted INT64");
  request.mutable_inputs(0)->set_name("token");
  ExpectRefused(request, tokens_, "input INPUT is missing");
}

// 2^40 + 1 is no float: what is nearest to it must not pass for a token either.
TEST_F(OpenInferenceTensorsTest, IntegersThatAreNoTokenStayNone) {
  inference::ModelInferRequest request;
  AddInput("INPUT", "INT64", {2, 1}, &request);
  request.add_raw_input_contents(Raw<int64_t>({-1, (int64_t{1} << 40) + 1}));
  ASSERT_TRUE(Read(request, tokens_).ok());
  EXPECT_LT(tensors_.values[0], 0);
  EXPECT_GE(tensors_.values[1], 10);
}

TEST_F(OpenInferenceTensorsTest, TheOutputReplacesThatOfTheRequestBefore) {
  InferResponse response;
  std::fill_n(AllocateOutput(6, &response), 6, 7.0f);
  ShapeOutput(Received(WholeRequest({1, 2, 2}, {1, 2, 3, 4})), 2, &response);
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1, 2, 3));
  std::iota(AllocateOutput(3, &response), AllocateOutput(3, &response) + 3, 1.0f);
  ShapeOutput(Received(WholeRequest({1, 2}, {1, 2})), 1, &response);
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.outputs(0).name(), "OUTPUT");
  EXPECT_EQ(response.outputs(0).datatype(), "FP32");
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(1, 3));
  ASSERT_EQ(response.raw_output_contents_size(), 1);
  EXPECT_EQ(response.raw_output_contents(0), Raw<float>({1, 2, 3}));
}

}  // namespace
}  // namespace rondo
