#ifndef RONDO_TESTS_UNIT_NETWORK_GRAPH_MODEL_H_
#define RONDO_TESTS_UNIT_NETWORK_GRAPH_MODEL_H_

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/model_file.h"
#include "model/network.h"
#include "model/spec_json.h"

namespace rondo {

// A description of `elements`, the array's inside, whose last named is `of`.
inline std::string GraphText(const std::string& inputs, const std::string& elements, const std::string& of,
                             const std::string& reply = "") {
  return absl::StrCat(R"({"format":2,"inputs":)", inputs, R"(,"elements":[)", elements, R"(],"output":{"of":")", of,
                      "\"", reply, "}}");
}

// Random weights: uniform, and so small that a product keeps the size of its inputs; deviations are above 0.
inline void FillGraphWeights(ModelFile* model, uint32_t seed) {
  std::mt19937 random(seed);
  for (const TensorSlot& slot : TensorSlots(model->spec, &model->weights)) {
    const std::vector<int64_t>& sizes = slot.shape.dimensions;
    const int64_t fan_in = sizes.size() < 2 ? 1 : slot.shape.size() / sizes[0];
    const float bound = 1.0f / std::sqrt(static_cast<float>(fan_in));
    std::uniform_real_distribution<float> uniform(-bound, bound);
    slot.values->resize(static_cast<size_t>(slot.shape.size()));
    for (float& value : *slot.values) {
      value = uniform(random);
      if (absl::EndsWith(slot.name, ".deviation")) value = 0.5f + std::abs(value);
    }
  }
}

// ASSERTs that the text is a description.
inline ModelFile GraphModel(const std::string& text, uint32_t seed = 1) {
  ModelFile model;
  absl::StatusOr<ModelSpec> spec = ParseSpecJson(text);
  if (!spec.ok()) {
    ADD_FAILURE() << spec.status() << "\n" << text;
    return model;
  }
  model.spec = *std::move(spec);
  const absl::Status valid = model.spec.Validate();
  if (!valid.ok()) ADD_FAILURE() << valid << "\n" << text;
  FillGraphWeights(&model, seed);
  return model;
}

// Runs a graph in float64, element by element and timestep by timestep, by the elements' own references.
class Interpreter {
 public:
  explicit Interpreter(const ModelFile& model) : graph_(*model.spec.graph), weights_(model.weights.tensors) {
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Element& element = *graph_.nodes()[i].element;
      std::vector<float> initial(static_cast<size_t>(element.state_size()));
      element.WriteInitialState(graph_.WeightsOf(i, weights_), initial.data());
      states_.emplace_back(initial.begin(), initial.end());
    }
  }

  Doubles Step(const Doubles& input) {
    std::vector<Doubles> values;
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const GraphNode& node = graph_.nodes()[i];
      std::vector<Doubles> inputs;
      for (const size_t from : node.inputs) inputs.push_back(from == GraphNode::kInput ? input : values[from]);
      values.push_back(node.element->Reference(inputs, graph_.WeightsOf(i, weights_), &states_[i]));
      for (const double value : values.back()) largest_ = std::max(largest_, std::abs(value));
    }
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (graph_.nodes()[i].next != GraphNode::kInput) states_[i] = values[graph_.nodes()[i].next];
    }
    return values[graph_.output()];
  }

  // The largest number that any element has answered.
  double largest() const { return largest_; }

 private:
  const Graph& graph_;
  const std::vector<std::vector<float>>& weights_;
  std::vector<Doubles> states_;
  double largest_ = 0;
};

// Series of one network that step together or apart.
struct GraphSeries {
  GraphSeries(const Network& network, size_t count) : spec(network.spec()), num_rows(count) {
    const auto state_size = static_cast<size_t>(spec.state_size());
    for (size_t i = 0; i < count; ++i) {
      states.push_back(network.initial_state().empty() ? std::vector<float>(state_size) : network.initial_state());
      outputs.emplace_back(static_cast<size_t>(spec.output_size()));
    }
  }

  StepRow Row(size_t i, const std::vector<float>& inputs) {
    StepRow row;
    row.input = &inputs[i * static_cast<size_t>(spec.input_size())];
    row.state_in = row.state_out = states[i].data();
    row.output = outputs[i].data();
    return row;
  }

  // inputs: [count][input_size]. `at_once`: rows of one call.
  void Step(const Network& network, const std::vector<float>& inputs, size_t at_once) {
    for (size_t done = 0; done < num_rows; done += at_once) {
      std::vector<StepRow> rows;
      for (size_t i = done; i < std::min(done + at_once, num_rows); ++i) rows.push_back(Row(i, inputs));
      network.Step(absl::MakeSpan(rows));
      for (const StepRow& row : rows) EXPECT_TRUE(row.finite);
    }
  }

  const ModelSpec& spec;
  const size_t num_rows;
  std::vector<std::vector<float>> states, outputs;
};

inline bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

inline std::vector<float> RandomGraphInputs(const ModelSpec& spec, size_t rows, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> inputs(rows * static_cast<size_t>(spec.input_size()));
  for (float& value : inputs) {
    value = spec.tokens > 0 ? static_cast<float>(random() % static_cast<uint32_t>(spec.tokens)) : normal(random);
  }
  return inputs;
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_NETWORK_GRAPH_MODEL_H_
