#ifndef RONDO_TESTS_UNIT_MODEL_RANDOM_NETWORK_H_
#define RONDO_TESTS_UNIT_MODEL_RANDOM_NETWORK_H_

#include <cmath>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/network.h"

namespace rondo {

// Every cell in every convention.
struct CellCase {
  std::string name;
  Cell cell;
  GruReset reset = GruReset::kAfter;
  GruUpdate update = GruUpdate::kKeep;
  Activation activation = Activation::kTanh;
};

inline std::ostream& operator<<(std::ostream& out, const CellCase& cell) { return out << cell.name; }

inline std::vector<CellCase> AllCells() {
  return {{"Lstm", Cell::kLstm},
          {"GruAfterKeep", Cell::kGru, GruReset::kAfter, GruUpdate::kKeep},
          {"GruAfterReplace", Cell::kGru, GruReset::kAfter, GruUpdate::kReplace},
          {"GruBeforeKeep", Cell::kGru, GruReset::kBefore, GruUpdate::kKeep},
          {"GruBeforeReplace", Cell::kGru, GruReset::kBefore, GruUpdate::kReplace},
          {"RnnTanh", Cell::kRnn},
          {"RnnRelu", Cell::kRnn, GruReset::kAfter, GruUpdate::kKeep, Activation::kRelu}};
}

inline ModelSpec MakeSpec(const CellCase& cell, int64_t input_size, int64_t hidden_size, int64_t num_layers,
                          int64_t output_size) {
  ModelSpec spec;
  spec.cell = cell.cell;
  spec.gru_reset = cell.reset;
  spec.gru_update = cell.update;
  spec.activation = cell.activation;
  spec.hidden_size = hidden_size;
  spec.num_layers = num_layers;
  for (int64_t i = 0; i < input_size; ++i) spec.inputs.push_back({absl::StrCat("in", i), 0.25 * i, 1.0 + 0.5 * i});
  for (int64_t i = 0; i < output_size; ++i) spec.outputs.push_back({absl::StrCat("out", i), 0.5 * i, 2.0, {}});
  return spec;
}

inline std::string KernelName(KernelKind kernel) {
  return kernel == KernelKind::kRondo ? "Rondo" : kernel == KernelKind::kOneDnn ? "OneDnn" : "Reference";
}

// Uniform in +-1/sqrt(hidden_size), as PyTorch initialises: a relu network stays bounded too.
inline Weights RandomWeights(const ModelSpec& spec, uint32_t seed) {
  std::mt19937 random(seed);
  const float bound = 1.0f / std::sqrt(static_cast<float>(spec.hidden_size));
  std::uniform_real_distribution<float> uniform(-bound, bound);
  Weights weights;
  for (const TensorSlot& slot : TensorSlots(spec, &weights)) {
    slot.values->resize(slot.shape.size());
    for (float& value : *slot.values) value = uniform(random);
  }
  return weights;
}

inline std::unique_ptr<Network> MakeNetwork(const ModelSpec& spec, const Weights& weights,
                                            const Network::Options& options = {}) {
  PrepareComputeThread();
  auto network = Network::Create(spec, weights, options);
  if (!network.ok()) ADD_FAILURE() << network.status();
  return network.ok() ? *std::move(network) : nullptr;
}

// A few series that walk through a network together, one timestep a call: each has its state and last output.
class Series {
 public:
  Series(const ModelSpec& spec, size_t count)
      : input_size_(spec.input_size()),
        state_size_(spec.state_size()),
        output_size_(spec.output_size()),
        count_(count),
        states_(count * state_size_),
        outputs_(count * output_size_) {}

  // inputs: [count][input_size].
  void Step(const Network& network, const std::vector<float>& inputs) {
    std::vector<StepRow> rows;
    for (size_t i = 0; i < count_; ++i) rows.push_back(Row(i, &inputs[i * input_size_]));
    network.Step(absl::MakeSpan(rows));
    for (const StepRow& row : rows) EXPECT_TRUE(row.finite);
  }

  StepRow Row(size_t i, const float* input) {
    StepRow row;
    row.input = input;
    row.state_in = row.state_out = &states_[i * state_size_];
    row.output = &outputs_[i * output_size_];
    return row;
  }

  const std::vector<float>& states() const { return states_; }
  const std::vector<float>& outputs() const { return outputs_; }
  std::vector<float> state(size_t i) const {
    return {states_.begin() + i * state_size_, states_.begin() + (i + 1) * state_size_};
  }
  std::vector<float> output(size_t i) const {
    return {outputs_.begin() + i * output_size_, outputs_.begin() + (i + 1) * output_size_};
  }

 private:
  const size_t input_size_, state_size_, output_size_, count_;
  std::vector<float> states_, outputs_;
};

inline std::vector<float> RandomInputs(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> inputs(size);
  for (float& value : inputs) value = normal(random);
  return inputs;
}

// The largest |a - b|; infinite if one is not a number.
inline double LargestDifference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = a.size() == b.size() ? 0 : HUGE_VAL;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(static_cast<double>(a[i]) - b[i]);
    largest = difference <= largest ? largest : std::isnan(difference) ? HUGE_VAL : difference;
  }
  return largest;
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_RANDOM_NETWORK_H_
