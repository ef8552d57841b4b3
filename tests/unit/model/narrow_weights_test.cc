// Weights held as bfloat16 or int8: what the kernels make of them, and which models may have them.
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "gmock/gmock.h"
#include "model/known_answers.h"
#include "model/model.h"
#include "model/model_file.h"
#include "tests/temporary_folder.h"
#include "tests/unit/model/random_network.h"

namespace rondo {
namespace {

using ::testing::HasSubstr;

float RoundedToBf16(float value) {
  const double unit = std::ldexp(1.0, std::ilogb(value) - 7);  // of its eighth significant bit
  return static_cast<float>(std::nearbyint(value / unit) * unit);
}

// Rounds each row, which is a unit's weights of one gate, to steps of a 127th of its largest.
void RoundRows(size_t row_size, std::vector<float>* weights) {
  for (auto row = weights->begin(); row != weights->end(); row += row_size) {
    const auto smaller = [](float a, float b) { return std::abs(a) < std::abs(b); };
    const double step = std::abs(*std::max_element(row, row + row_size, smaller)) / 127.0;
    for (auto weight = row; weight != row + row_size; ++weight) {
      *weight = static_cast<float>(std::nearbyint(*weight / step) * step);
    }
  }
}

Weights Rounded(const ModelSpec& spec, Weights weights, WeightFormat format) {
  for (size_t i = 0; i < weights.layers.size(); ++i) {
    LayerWeights& layer = weights.layers[i];
    const auto inputs = static_cast<size_t>(i == 0 ? spec.feature_size() : spec.hidden_size);
    if (format == WeightFormat::kInt8) {
      RoundRows(inputs, &layer.weight_ih);
      RoundRows(static_cast<size_t>(spec.hidden_size), &layer.weight_hh);
    } else {
      for (auto* weight : {&layer.weight_ih, &layer.weight_hh}) {
        for (float& value : *weight) value = RoundedToBf16(value);
      }
    }
  }
  return weights;
}

// What a few series answer and keep after some timesteps.
std::vector<float> Walk(const ModelSpec& spec, const Weights& weights, KernelKind kernel, WeightFormat format) {
  constexpr size_t kSeries = 5;
  Network::Options options;
  options.kernel = kernel;
  options.weights = format;
  options.narrow_from_bytes = 0;
  const auto network = MakeNetwork(spec, weights, options);
  Series series(spec, kSeries);
  for (int t = 0; t < 8; ++t) series.Step(*network, RandomInputs(kSeries * spec.input_size(), t));
  std::vector<float> all = series.outputs();
  all.insert(all.end(), series.states().begin(), series.states().end());
  return all;
}

class NarrowWeightsTest : public testing::TestWithParam<CellCase> {};

TEST_P(NarrowWeightsTest, Bf16IsTheNetworkOfRoundedWeightsBitForBit) {
  const ModelSpec spec = MakeSpec(GetParam(), 7, 37, 2, 3);
  const Weights weights = RandomWeights(spec, 5);
  EXPECT_EQ(Walk(spec, weights, KernelKind::kRondo, WeightFormat::kBf16),
            Walk(spec, Rounded(spec, weights, WeightFormat::kBf16), KernelKind::kRondo, WeightFormat::kF32));
}

TEST_P(NarrowWeightsTest, Int8IsTheNetworkOfRoundedWeights) {
  const ModelSpec spec = MakeSpec(GetParam(), 7, 37, 2, 3);
  const Weights weights = RandomWeights(spec, 5);
  EXPECT_LE(LargestDifference(
                Walk(spec, weights, KernelKind::kRondo, WeightFormat::kInt8),
                Walk(spec, Rounded(spec, weights, WeightFormat::kInt8), KernelKind::kReference, WeightFormat::kF32)),
            1e-5);
}

// Of each unit, the weights of x or h or both are zero, or as large or as small as floats are.
TEST_P(NarrowWeightsTest, WeightsOfAnySizeGiveFiniteAnswers) {
  const ModelSpec spec = MakeSpec(GetParam(), 4, 20, 1, 1);
  for (const WeightFormat format : {WeightFormat::kBf16, WeightFormat::kInt8}) {
    for (const float of_x : {0.0f, 1e-44f, 1e-38f, 1.0f, 1e30f}) {
      for (const float of_h : {0.0f, 1e-44f, 1e-38f, 1.0f, 1e30f}) {
        Weights weights = RandomWeights(spec, 5);
        for (float& value : weights.layers[0].weight_ih) value *= of_x;
        for (float& value : weights.layers[0].weight_hh) value *= of_h;
        if (GetParam().activation == Activation::kRelu && std::max(of_x, of_h) > 1) continue;
        const std::vector<float> narrow = Walk(spec, weights, KernelKind::kRondo, format);
        if (std::max(of_x, of_h) > 1) continue;  // every gate is at one end, and rounding may turn it over
        EXPECT_LE(LargestDifference(narrow, Walk(spec, weights, KernelKind::kRondo, WeightFormat::kF32)), 0.1)
            << WeightFormatName(format) << " " << of_x << " " << of_h;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, NarrowWeightsTest, testing::ValuesIn(AllCells()),
                         [](const auto& test) { return test.param.name; });

TEST(WeightFormatTest, OtherKernelsThanOursAreRefused) {
  const ModelSpec spec = MakeSpec({"Lstm", Cell::kLstm}, 2, 3, 1, 1);
  for (const KernelKind kernel : {KernelKind::kOneDnn, KernelKind::kReference}) {
    Network::Options options;
    options.kernel = kernel;
    options.weights = WeightFormat::kBf16;
    const absl::Status status = Network::Create(spec, RandomWeights(spec, 1), options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("held as bf16; wanted f32, or the kernel rondo or auto"));
  }
  Network::Options options;
  options.weights = WeightFormat::kInt8;
  options.instruction_set = InstructionSet::kPlain;
  options.narrow_from_bytes = 0;
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1), options)->kernel_name(), "rondo/plain");
}

TEST(WeightFormatTest, WeightsThatStayInTheCacheAreHeldAsFloat32) {
  const ModelSpec spec = MakeSpec({"Rnn", Cell::kRnn}, 8, 8, 1, 1);
  Network::Options options;
  options.weights = WeightFormat::kInt8;
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1), options)->weights(), WeightFormat::kF32);
  options.narrow_from_bytes = 2 * 8 * 8 * sizeof(float);  // those of x and of h
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1), options)->weights(), WeightFormat::kInt8);
  ++options.narrow_from_bytes;
  EXPECT_EQ(MakeNetwork(spec, RandomWeights(spec, 1), options)->weights(), WeightFormat::kF32);
}

// ---- Which models may have them.

class AccuracyTest : public testing::Test {
 protected:
  AccuracyTest() {
    PrepareComputeThread();
    model_.spec = MakeSpec({"Rnn", Cell::kRnn}, 2, 4, 1, 1);
    model_.weights = RandomWeights(model_.spec, 1);
  }

  absl::StatusOr<std::shared_ptr<const Model>> Load(std::optional<WeightFormat> format) {
    EXPECT_TRUE(WriteModelFile(model_, path_).ok());
    Network::Options options;
    options.weights = format;
    options.narrow_from_bytes = 0;
    return LoadModel(path_, "m", 1, options);
  }

  // The unit's only useful weight is lost among steps of a weight that meets an input of nearly zero.
  void MakeIll() {
    model_.spec.inputs[0].std = 1e6;
    for (size_t unit = 0; unit < 4; ++unit) {
      model_.weights.layers[0].weight_ih[2 * unit] = 1000;
      model_.weights.layers[0].weight_ih[2 * unit + 1] = 0.5f;
    }
    KnownAnswers answers;
    answers.inputs = {0, 1, 0, -1, 0, 2, 0, -2};
    EXPECT_TRUE(Answer(*MakeNetwork(model_.spec, model_.weights), &answers).ok());
    model_.spec.accuracy = answers;
  }

  ModelFile model_;
  const TemporaryFolder folder_;
  const std::string path_ = folder_.Path("narrow_weights.safetensors");
};

TEST_F(AccuracyTest, TheFlagGoesBeforeTheFile) {
  model_.spec.weights = WeightFormat::kInt8;
  EXPECT_EQ((*Load({}))->network->weights(), WeightFormat::kInt8);
  EXPECT_EQ((*Load(WeightFormat::kBf16))->network->weights(), WeightFormat::kBf16);
  EXPECT_EQ((*Load(WeightFormat::kF32))->network->weights(), WeightFormat::kF32);
  EXPECT_EQ((*Load(WeightFormat::kF32))->weights_error, 0);
  EXPECT_GT((*Load({}))->weights_error, 0);
  EXPECT_LE((*Load({}))->weights_error, kMostWeightsError);
}

TEST_F(AccuracyTest, AModelWhoseAnswersAreTooFarOffIsRefused) {
  MakeIll();
  EXPECT_TRUE(Load(WeightFormat::kBf16).ok()) << Load(WeightFormat::kBf16).status();
  const absl::Status status = Load(WeightFormat::kInt8).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("weights held as int8 take an answer "));
  EXPECT_TRUE(Load(WeightFormat::kF32).ok());
}

TEST_F(AccuracyTest, KnownAnswersAreInTheFileAndDoNotChangeTheFingerprint) {
  const uint64_t fingerprint = (*Load({}))->fingerprint;
  KnownAnswers answers = MakeQuestions(model_.spec);
  ASSERT_TRUE(Answer(*MakeNetwork(model_.spec, model_.weights), &answers).ok());
  model_.spec.accuracy = answers;
  const auto loaded = Load(WeightFormat::kBf16);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ((*loaded)->fingerprint, fingerprint);
  EXPECT_EQ((*loaded)->spec().accuracy.inputs, model_.spec.accuracy.inputs);
  EXPECT_EQ((*loaded)->spec().accuracy.outputs, model_.spec.accuracy.outputs);
  model_.spec.accuracy.outputs.assign(32, 100.0f);  // of another network
  EXPECT_EQ(Load(WeightFormat::kBf16).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Load(WeightFormat::kF32).ok());
}

TEST_F(AccuracyTest, KnownAnswersOfOtherSizesAreRefusedByName) {
  KnownAnswers good = MakeQuestions(model_.spec);
  good.outputs.assign(32, 0.0f);
  const auto refused = [&](const std::function<void(KnownAnswers*)>& change, const std::string& message) {
    model_.spec.accuracy = good;
    change(&model_.spec.accuracy);
    EXPECT_THAT(std::string(model_.spec.Validate().message()), HasSubstr(message));
  };
  refused([](KnownAnswers* a) { a->inputs.pop_back(); }, "accuracy.inputs has 63 numbers; it must be 2 a timestep");
  refused([](KnownAnswers* a) { a->inputs.clear(); }, "accuracy.inputs has 0 numbers");
  refused([](KnownAnswers* a) { a->inputs.resize(2 * 1025); }, "for 1 to 1024 of them");
  refused([](KnownAnswers* a) { a->outputs.pop_back(); }, "accuracy.outputs has 31 numbers; 32 timesteps have 32");
  refused([](KnownAnswers* a) { a->times.push_back(0); }, "accuracy.times has 1 numbers; it must have 0");
  refused([](KnownAnswers* a) { a->outputs[3] = HUGE_VALF; }, "not finite");
  model_.spec.inputs.clear();
  model_.spec.tokens = 10;
  model_.spec.embedding_size = 2;
  refused([](KnownAnswers* a) { a->inputs.assign(32, 10.0f); }, "has the token 10; it must be a whole number below 10");
  refused([](KnownAnswers* a) { a->inputs.assign(32, 0.5f); }, "has the token 0.5");
}

}  // namespace
}  // namespace rondo
