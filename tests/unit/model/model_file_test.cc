#include "model/model_file.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/json/json_text.h"
#include "model/model.h"
#include "model/spec_json.h"
#include "tests/unit/model/model_file_fixture.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

std::vector<RawTensor> Without(std::vector<RawTensor> tensors, const std::string& name) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].name == name) tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return tensors;
}

std::vector<RawTensor> With(std::vector<RawTensor> tensors, RawTensor tensor) {
  tensors = Without(std::move(tensors), tensor.name);
  tensors.push_back(std::move(tensor));
  return tensors;
}

void ExpectSame(const ModelFile& a, const ModelFile& b) {
  EXPECT_EQ(SpecJson(a.spec), SpecJson(b.spec));
  EXPECT_EQ(a.spec.num_layers, b.spec.num_layers);
  EXPECT_EQ(a.spec.hidden_size, b.spec.hidden_size);
  EXPECT_EQ(a.spec.embedding_size, b.spec.embedding_size);
  ModelFile x = a, y = b;
  const auto left = TensorSlots(x.spec, &x.weights), right = TensorSlots(y.spec, &y.weights);
  ASSERT_EQ(left.size(), right.size());
  for (size_t i = 0; i < left.size(); ++i) EXPECT_EQ(*left[i].values, *right[i].values) << left[i].name;
}

class ModelFileTest : public ModelFileFixture {
 protected:
  void ExpectRefused(const std::vector<RawTensor>& tensors, const std::string& message,
                     const std::string& spec = kSpec) {
    const absl::Status status = Read(tensors, spec).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
};

TEST_F(ModelFileTest, WhatIsWrittenIsReadForEveryCell) {
  std::vector<ModelFile> models = {TokenModel(Cell::kLstm), TokenModel(Cell::kGru), TokenModel(Cell::kRnn)};
  for (const Cell cell : {Cell::kLstm, Cell::kGru, Cell::kRnn}) {
    for (const int64_t num_layers : {1, 3}) models.push_back(WeatherModel(cell, num_layers));
  }
  models.push_back(WeatherModel(Cell::kRnn, 1));
  models.back().spec.activation = Activation::kRelu;
  for (const GruReset reset : {GruReset::kBefore, GruReset::kAfter}) {
    for (const GruUpdate update : {GruUpdate::kKeep, GruUpdate::kReplace}) {
      models.push_back(WeatherModel(Cell::kGru, 2));
      models.back().spec.gru_reset = reset;
      models.back().spec.gru_update = update;
    }
  }
  for (const ModelFile& model : models) {
    const absl::Status written = WriteModelFile(model, path_);
    ASSERT_TRUE(written.ok()) << written;
    const absl::StatusOr<ModelFile> read = ReadModelFile(path_);
    ASSERT_TRUE(read.ok()) << read.status();
    ExpectSame(*read, model);
  }
}

TEST_F(ModelFileTest, SizesComeFromTheTensors) {
  std::vector<RawTensor> tensors = LstmTensors();
  for (const char* name : {"weight_ih_l1", "weight_hh_l1"})
    tensors.push_back(Floats(std::string("rnn.") + name, {12, 3}));
  for (const char* name : {"bias_ih_l1", "bias_hh_l1"}) tensors.push_back(Floats(std::string("rnn.") + name, {12}));
  const absl::StatusOr<ModelFile> model = Read(tensors);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.num_layers, 2);
  EXPECT_EQ(model->spec.hidden_size, 3);
  EXPECT_EQ(model->weights.layers[1].weight_ih.size(), 36u);
}

TEST_F(ModelFileTest, TheRecurrentLayersMayHaveAnyOnePrefix) {
  for (const char* prefix : {"", "rnn.", "lstm.", "module.rnn.", "model.encoder.lstm."}) {
    EXPECT_TRUE(Read(LstmTensors(prefix)).ok()) << prefix << ": " << Read(LstmTensors(prefix)).status();
  }
  ExpectRefused(With(LstmTensors(), Floats("gru.weight_ih_l0", {12, 2})), "two recurrent networks: 'rnn.' and 'gru.'");
  ExpectRefused(With(LstmTensors(), Floats("weight_ih_l0", {12, 2})), "two recurrent networks: 'rnn.' and ''");
}

TEST_F(ModelFileTest, TheHeadMayHaveAnyOneName) {
  for (const char* name : {"fc", "module.out", "head.0"}) {
    std::vector<RawTensor> tensors = LstmTensors();
    tensors[4].name = std::string(name) + ".weight";
    tensors[5].name = std::string(name) + ".bias";
    EXPECT_TRUE(Read(tensors).ok()) << name << ": " << Read(tensors).status();
  }
  ExpectRefused(With(With(LstmTensors(), Floats("fc.weight", {1, 3})), Floats("fc.bias", {1})),
                "tensors 'fc.weight' and 'head.weight' are two heads");
}

TEST_F(ModelFileTest, AnEmbeddingIsTheOneWeightWithoutABias) {
  const std::vector<RawTensor> tensors = LstmTensors("rnn.", 4);
  for (const char* name : {"embedding.weight", "module.emb.weight"}) {
    const absl::StatusOr<ModelFile> model = Read(With(tensors, Floats(name, {5, 4})), kTokenSpec);
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ(model->spec.embedding_size, 4);
    EXPECT_EQ(model->weights.embedding.size(), 20u);
  }
  ExpectRefused(tensors, "tensor 'embedding.weight' is missing", kTokenSpec);
  ExpectRefused(With(tensors, Floats("embedding.weight", {6, 4})), "tensor 'embedding.weight' is [6][4]", kTokenSpec);
  ExpectRefused(With(tensors, Floats("embedding.weight", {20})), "must have two dimensions", kTokenSpec);
  ExpectRefused(With(With(tensors, Floats("a.weight", {5, 4})), Floats("b.weight", {5, 4})),
                "tensors 'a.weight' and 'b.weight' are two weights without a bias", kTokenSpec);
  ExpectRefused(With(LstmTensors(), Floats("embedding.weight", {5, 4})), "tensor 'embedding.weight' is extra");
}

TEST_F(ModelFileTest, AMissingTensorIsNamedAsTheFileWouldNameIt) {
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}) {
    const std::string missing = std::string("lstm.") + name;
    ExpectRefused(Without(LstmTensors("lstm."), missing), "tensor '" + missing + "' is missing");
  }
  ExpectRefused(Without(LstmTensors(), "head.bias"), "tensor 'head.bias' is missing");
  ExpectRefused(Without(LstmTensors(), "head.weight"), "tensor 'head.weight' is missing");
  ExpectRefused(Without(Without(LstmTensors(), "head.weight"), "head.bias"), "tensor 'head.weight' is missing");
  ExpectRefused({Floats("head.weight", {1, 3}), Floats("head.bias", {1})}, "tensor 'rnn.weight_ih_l0' is missing");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l1", {12, 3})), "tensor 'rnn.weight_hh_l1' is missing");
  ExpectRefused({}, "tensor 'rnn.weight_ih_l0' is missing");
}

TEST_F(ModelFileTest, WithoutAnyRecurrentBiasTheBiasesAreZero) {
  const auto model = Read(Without(Without(LstmTensors(), "rnn.bias_ih_l0"), "rnn.bias_hh_l0"));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->weights.layers[0].bias_ih, std::vector<float>(12, 0.0f));
  EXPECT_EQ(model->weights.layers[0].bias_hh, std::vector<float>(12, 0.0f));
}

TEST_F(ModelFileTest, WhatIsNotSupportedIsRefusedByName) {
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l0_reverse", {12, 2})),
                "tensor 'rnn.weight_ih_l0_reverse' is a backward layer; bidirectional networks are not supported");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_hr_l0", {2, 3})), "tensor 'rnn.weight_hr_l0' is a projection");
  ExpectRefused(With(LstmTensors(), Floats("norm.running_mean", {3})), "tensor 'norm.running_mean' is no part");
  ExpectRefused(With(LstmTensors(), Floats("weight", {3})), "tensor 'weight' is no part");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l00", {12, 2})), "tensor 'rnn.weight_ih_l00' is no part");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l-1", {12, 2})), "tensor 'rnn.weight_ih_l-1' is no part");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l16", {12, 3})), "num_layers is 17; it must be 1 to 16");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_ih_l2147483647", {12, 3})), "num_layers is 2147483648");
}

TEST_F(ModelFileTest, AShapeThatDoesNotFollowFromTheSpecIsRefusedByName) {
  ExpectRefused(LstmTensors("rnn.", 3),
                "tensor 'rnn.weight_ih_l0' is [12][3]; cell lstm with hidden_size 3, 2 features and 1 output values "
                "takes [12][2]");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_hh_l0", {12, 4})), "tensor 'rnn.weight_ih_l0' is [12][2]");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_hh_l0", {36})),
                "tensor 'rnn.weight_hh_l0' is [36]; it must have");
  ExpectRefused(With(LstmTensors(), Floats("rnn.weight_hh_l0", {12, 0})), "hidden_size is 0");
  ExpectRefused(With(LstmTensors(), Floats("rnn.bias_hh_l0", {12, 1})), "tensor 'rnn.bias_hh_l0' is [12][1]");
  ExpectRefused(With(LstmTensors(), Floats("head.weight", {3, 1})), "tensor 'head.weight' is [3][1]");
  ExpectRefused(With(LstmTensors(), Floats("head.weight", {3})), "tensor 'head.weight' is [3]");
  ExpectRefused(With(LstmTensors(), Floats("head.bias", {2})), "tensor 'head.bias' is [2]");
  ExpectRefused(LstmTensors(), "tensor 'rnn.weight_ih_l0' is [12][2]; cell rnn",
                absl::StrReplaceAll(kSpec, {{R"("lstm")", R"("rnn","activation":"tanh")"}}));
}

TEST_F(ModelFileTest, AWeightThatIsNotFiniteIsRefusedByName) {
  std::vector<RawTensor> tensors = LstmTensors();
  tensors[1].bytes.replace(8, 4, std::string("\0\0\xc0\x7f", 4));
  ExpectRefused(tensors, "tensor 'rnn.weight_hh_l0' has the value nan at index 2");
}

TEST_F(ModelFileTest, TheDescriptionIsReadFromASidecarIfTheFileHasNone) {
  ExpectRefused(LstmTensors(), "no description: neither a key 'rondo' in __metadata__ nor a NAME.json", "");
  WriteBytes(folder_.Path("m.json"), kSpec);
  EXPECT_TRUE(Read(LstmTensors(), "").ok()) << Read(LstmTensors(), "").status();
  WriteBytes(folder_.Path("m.json"), "{}");
  ExpectRefused(LstmTensors(), "NAME.json: format is missing", "");
  EXPECT_TRUE(Read(LstmTensors()).ok()) << "the file's own description comes first";
  WriteBytes(folder_.Path("m.json"), std::string(kMaxJsonBytes + 1, ' '));
  ExpectRefused(LstmTensors(), "NAME.json: the file has 1048577 bytes; at most 1048576", "");
}

TEST_F(ModelFileTest, AWrongDescriptionIsRefused) {
  ExpectRefused(LstmTensors(), "__metadata__.rondo: not JSON", "{");
  ExpectRefused(LstmTensors(), "inputs[1].name is 'a', used before", absl::StrReplaceAll(kSpec, {{"\"b\"", "\"a\""}}));
}

TEST_F(ModelFileTest, WhatAReaderWouldRefuseIsNotWritten) {
  const auto refused = [&](const ModelFile& model, const std::string& message) {
    const absl::Status status = WriteModelFile(model, path_);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(path_));
  };
  ModelFile model = WeatherModel(Cell::kLstm, 2);
  model.spec.horizon = 0;
  refused(model, "horizon is 0");
  model = WeatherModel(Cell::kLstm, 2);
  model.weights.layers[1].bias_hh.pop_back();
  refused(model, "'rnn.bias_hh_l1' has 11 floats; the spec wants [12]");
  model = WeatherModel(Cell::kLstm, 2);
  model.weights.layers.pop_back();
  refused(model, "the weights have 1 layers; the spec has 2");
  model = WeatherModel(Cell::kLstm, 2);
  model.weights.embedding.push_back(1);
  refused(model, "the weights have an embedding");
  model = WeatherModel(Cell::kLstm, 2);
  model.weights.head_bias[0] = std::numeric_limits<float>::infinity();
  refused(model, "'head.bias' has a value that is not finite");
}

TEST_F(ModelFileTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const ModelFile model = WeatherModel(Cell::kLstm, 1);
  ASSERT_TRUE(WriteModelFile(model, path_).ok());
  const std::string before = ReadBytes(path_);
  // Bytes past the first kibibyte of any file fail, as on a full disk.
  rlimit old_limit;
  getrlimit(RLIMIT_FSIZE, &old_limit);
  const rlimit small = {1024, old_limit.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const absl::Status status = WriteModelFile(WeatherModel(Cell::kLstm, 3), path_);
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(ReadBytes(path_), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.Path("")), {}), 1);
  EXPECT_EQ(WriteModelFile(model, folder_.Path("none/m.safetensors")).code(), absl::StatusCode::kNotFound);
}

// What tests/golden/make_exported.py fills every tensor with.
std::vector<float> Exported(size_t size) {
  std::vector<float> values(size);
  for (size_t i = 0; i < size; ++i) values[i] = (static_cast<float>(i % 97) - 48) / 64;
  return values;
}

TEST_F(ModelFileTest, AHalfPrecisionGruExportedFromPyTorchIsReadExactly) {
  const auto model = ReadModelFile(RONDO_SOURCE_DIR "/tests/golden/exported_gru.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.num_layers, 2);
  EXPECT_EQ(model->spec.hidden_size, 5);
  EXPECT_EQ(model->spec.feature_size(), 4);
  EXPECT_EQ(model->spec.training_json, R"({"library":"torch"})");
  EXPECT_EQ(model->weights.layers[0].weight_ih, Exported(15 * 4));
  EXPECT_EQ(model->weights.layers[1].weight_hh, Exported(15 * 5));
  EXPECT_EQ(model->weights.layers[1].bias_hh, Exported(15));
  EXPECT_EQ(model->weights.head_weight, Exported(2 * 5));
  EXPECT_EQ(model->weights.head_bias, std::vector<float>(2, 0.0f)) << "Linear(bias=False)";
}

TEST_F(ModelFileTest, ATokenLstmExportedFromPyTorchIsReadExactly) {
  const auto model = ReadModelFile(RONDO_SOURCE_DIR "/tests/golden/exported_lstm.safetensors");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->spec.head, Head::kSoftmax);
  EXPECT_EQ(model->weights.embedding, Exported(7 * 3));
  EXPECT_EQ(model->weights.layers[0].weight_hh, Exported(16 * 4));
  EXPECT_EQ(model->weights.layers[0].bias_ih, std::vector<float>(16, 0.0f)) << "LSTM(bias=False)";
  EXPECT_EQ(model->weights.head_weight, Exported(2 * 4));
  EXPECT_EQ(model->weights.head_bias, Exported(2));
}

TEST_F(ModelFileTest, LoadModelMakesANetworkReadyToServe) {
  ASSERT_TRUE(WriteModelFile(WeatherModel(Cell::kGru, 2), path_).ok());
  Network::Options options;
  options.max_batch_size = 2;
  const auto model = LoadModel(path_, "weather", 3, options);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->name, "weather");
  EXPECT_EQ((*model)->version, 3);
  EXPECT_EQ((*model)->spec().num_layers, 2);
  EXPECT_EQ(LoadModel(folder_.Path("none"), "none", 1, options).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace rondo
