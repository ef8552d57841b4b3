// Networks that need whole sequences, against an interpreter that takes one element after the other.

#include <algorithm>

#include "gmock/gmock.h"
#include "model/compute_thread.h"
#include "tests/unit/network/random_graph.h"

namespace rondo {
namespace {

using testing::HasSubstr;

using Sequence = std::vector<Doubles>;  // [timesteps]

// One element over a sequence of each of its inputs.
class ElementOverTime {
 public:
  ElementOverTime(const ModelFile& model, size_t node, std::vector<const Sequence*> inputs)
      : element_(*model.spec.graph->nodes()[node].element),
        weights_(model.spec.graph->WeightsOf(node, model.weights.tensors)),
        inputs_(std::move(inputs)) {}

  Sequence Run(size_t timesteps) {
    const TimeOrder& order = element_.time_order();
    if (order.windows.kernel > 0) return RunWindows(static_cast<int64_t>(inputs_[0]->size()));
    Begin();
    Sequence answers(timesteps);
    for (size_t step = 0; step < timesteps + static_cast<size_t>(order.ahead); ++step) {
      const Doubles answer = Step(order.reverse ? timesteps - 1 - step : step);
      const size_t at = order.reverse ? timesteps - 1 - step : step - static_cast<size_t>(order.ahead);
      if (step >= static_cast<size_t>(order.ahead)) answers[at] = answer;
    }
    if (order.for_all) answers.assign(timesteps, answers[order.reverse ? 0 : timesteps - 1]);
    return answers;
  }

 private:
  void Begin() {
    std::vector<float> initial(static_cast<size_t>(element_.state_size()));
    element_.WriteInitialState(weights_, initial.data());
    state_.assign(initial.begin(), initial.end());
  }

  Doubles Step(size_t timestep) {
    std::vector<Doubles> values;
    for (const Sequence* input : inputs_) {
      values.push_back(timestep < input->size() ? (*input)[timestep] : Doubles(input->front().size()));
    }
    return element_.Reference(values, weights_, &state_);
  }

  Sequence RunWindows(int64_t timesteps) {
    const TimeWindows& windows = element_.time_order().windows;
    Sequence answers;
    const auto fits = [&](int64_t at) {
      return windows.partial ? at + windows.left < timesteps : at + windows.kernel <= timesteps + windows.right;
    };
    for (int64_t at = -windows.left; answers.empty() || fits(at); at += windows.stride) {
      Begin();
      Doubles answer;
      for (int64_t t = std::max<int64_t>(at, 0); t < std::min(at + windows.kernel, timesteps); ++t) {
        answer = Step(static_cast<size_t>(t));
      }
      answers.push_back(answer);
    }
    return answers;
  }

  const Element& element_;
  const SlotValues weights_;
  const std::vector<const Sequence*> inputs_;
  Doubles state_;
};

// The output for each timestep, and the largest number on the way.
std::pair<Sequence, double> Interpret(const ModelFile& model, const Sequence& input) {
  const Graph& graph = *model.spec.graph;
  std::vector<Sequence> values;
  values.reserve(graph.nodes().size());
  double largest = 0;
  for (size_t node = 0; node < graph.nodes().size(); ++node) {
    std::vector<const Sequence*> inputs;
    for (const size_t from : graph.nodes()[node].inputs) {
      inputs.push_back(from == GraphNode::kInput ? &input : &values[from]);
    }
    const size_t timesteps = inputs.empty() ? input.size() : inputs[0]->size();
    values.push_back(ElementOverTime(model, node, std::move(inputs)).Run(timesteps));
    for (const Doubles& row : values.back()) {
      for (const double value : row) largest = std::max(largest, std::abs(value));
    }
  }
  const Sequence& answers = values[graph.output()];
  Sequence outputs;
  for (size_t t = 0; t < input.size(); ++t) outputs.push_back(answers[t * answers.size() / input.size()]);
  return {outputs, largest};
}

// Sequences of some lengths through one network.
class Sequences {
 public:
  Sequences(const ModelFile& model, std::vector<size_t> lengths) : model_(model), lengths_(std::move(lengths)) {
    auto network = Network::Create(model.spec, model.weights, {});
    EXPECT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    for (const size_t length : lengths_) {
      inputs_.push_back(RandomGraphInputs(model.spec, length, static_cast<uint32_t>(length)));
    }
  }

  // Of the sequences `first` to `last`; of each the last timestep only, or all.
  std::vector<std::vector<float>> Run(size_t first, size_t last, bool last_only) const {
    std::vector<std::vector<float>> outputs;
    std::vector<WholeSequence> sequences;
    const auto output_size = static_cast<size_t>(model_.spec.output_size());
    for (size_t i = first; i < last; ++i) outputs.emplace_back((last_only ? 1 : lengths_[i]) * output_size);
    for (size_t i = first; i < last; ++i) {
      sequences.push_back({inputs_[i].data(), nullptr, lengths_[i], outputs[i - first].data(), last_only});
    }
    network_->RunWhole(absl::MakeSpan(sequences));
    for (const WholeSequence& sequence : sequences) EXPECT_TRUE(sequence.finite);
    return outputs;
  }

  Sequence InputOf(size_t i) const {
    const auto input_size = static_cast<std::ptrdiff_t>(model_.spec.input_size());
    Sequence input;
    for (auto at = inputs_[i].begin(); at != inputs_[i].end(); at += input_size)
      input.emplace_back(at, at + input_size);
    return input;
  }

 private:
  const ModelFile& model_;
  const std::vector<size_t> lengths_;
  std::unique_ptr<Network> network_;
  std::vector<std::vector<float>> inputs_;
};

void ExpectInterpreted(const ModelFile& model) {
  ASSERT_TRUE(model.spec.whole_sequence());
  const std::vector<size_t> lengths = {5, 1, 9, 2, 6};
  const Sequences sequences(model, lengths);
  const std::vector<std::vector<float>> together = sequences.Run(0, lengths.size(), false);
  const std::vector<std::vector<float>> last = sequences.Run(0, lengths.size(), true);
  for (size_t i = 0; i < lengths.size(); ++i) {
    const auto [expected, largest] = Interpret(model, sequences.InputOf(i));
    const size_t width = expected[0].size();
    for (size_t k = 0; k < together[i].size(); ++k) {
      ASSERT_NEAR(together[i][k], expected[k / width][k % width], 1e-4 * std::max(1.0, largest)) << i << " " << k;
    }
    ASSERT_TRUE(SameBits(together[i], sequences.Run(i, i + 1, false)[0]));
    ASSERT_TRUE(SameBits(last[i], {together[i].end() - static_cast<std::ptrdiff_t>(width), together[i].end()}));
  }
}

class WholeSequenceTest : public testing::Test {
 protected:
  WholeSequenceTest() { PrepareComputeThread(); }
};

TEST_F(WholeSequenceTest, RandomGraphsAreTheInterpretersWhateverRunsBeside) {
  int tried = 0;
  for (uint32_t seed = 0; tried < 150; ++seed) {
    const std::string text = RandomGraph(seed).Text(/*whole_sequence=*/true);
    SCOPED_TRACE(absl::StrCat(seed, ": ", text));
    const ModelFile model = GraphModel(text, seed);
    if (!model.spec.whole_sequence()) continue;
    ++tried;
    ExpectInterpreted(model);
    if (HasFatalFailure()) return;
  }
}

TEST_F(WholeSequenceTest, PoolsOverTimestepsShortenWhatFollows) {
  for (const std::string pool :
       {R"("sequence_max_pool","kernel":2)", R"("sequence_average_pool","kernel":3,"stride":2)",
        R"("sequence_average_pool","kernel":3,"stride":1,"padding":[1,1])",
        R"("sequence_max_pool","kernel":3,"stride":2,"padding":[1,0],"partial":true)"}) {
    SCOPED_TRACE(pool);
    ExpectInterpreted(GraphModel(GraphText(
        R"({"tokens":9})",
        absl::StrCat(R"({"name":"e","type":"embedding","of":"input","tokens":9,"units":4},)",
                     R"({"name":"c","type":"causal_conv1d","of":"e","units":5,"kernel":3,"activation":"relu"},)",
                     R"({"name":"p","of":"c","type":)", pool,
                     R"(},{"name":"l","type":"lstm","of":"p","units":6},{"name":"k","type":"constant","units":6},)",
                     R"({"name":"a","type":"add","of":["l","k"]},{"name":"y","type":"dense","of":"a","units":2})"),
        "y")));
  }
}

TEST_F(WholeSequenceTest, ValuesOfDifferentTimestepsAreNotMixed) {
  const auto spec = ParseSpecJson(GraphText(
      R"({"size":2})",
      R"({"name":"p","type":"sequence_max_pool","of":"input","kernel":2},{"name":"y","type":"add","of":["p","input"]})",
      "y"));
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("element 'y' takes values of different timesteps"));
}

TEST_F(WholeSequenceTest, ASequenceThatIsNotFiniteHurtsNoOther) {
  const ModelFile model = GraphModel(
      GraphText(R"({"size":1})", R"({"name":"y","type":"gru","of":"input","units":2,"direction":"reverse"})", "y"));
  auto network = Network::Create(model.spec, model.weights, {});
  ASSERT_TRUE(network.ok());
  const std::vector<float> good = {1, 2, 3}, bad = {1, std::nanf(""), 3};
  std::vector<float> alone(6), beside(6), none(6);
  WholeSequence one{good.data(), nullptr, 3, alone.data(), false};
  (*network)->RunWhole({&one, 1});
  WholeSequence two[] = {{bad.data(), nullptr, 3, none.data(), false}, {good.data(), nullptr, 3, beside.data(), false}};
  (*network)->RunWhole(absl::MakeSpan(two));
  EXPECT_FALSE(two[0].finite);
  EXPECT_TRUE(two[1].finite);
  EXPECT_TRUE(SameBits(alone, beside));
}

}  // namespace
}  // namespace rondo
