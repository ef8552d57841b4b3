#include "tests/integration/known_series.h"

#include <gtest/gtest.h>

#include "model/compute_thread.h"
#include "tests/integration/test_server.h"

namespace rondo {
namespace {

std::vector<float> Rows(const std::vector<float>& values, int64_t row_size, int64_t begin, int64_t end) {
  return {values.begin() + begin * row_size, values.begin() + end * row_size};
}

}  // namespace

void MakeDeterministic(ServerOptions* options) { options->registry.network.kernel = KernelKind::kRondo; }

std::unique_ptr<Network> NetworkOf(const ModelFile& model) {
  PrepareComputeThread();
  Network::Options options;
  options.kernel = KernelKind::kRondo;
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(model.spec, model.weights, options);
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

KnownSeries::KnownSeries(const Network& network, size_t count, int64_t timesteps)
    : timesteps_(timesteps), input_size_(network.spec().input_size()), output_size_(network.spec().output_size()) {
  PrepareComputeThread();
  const size_t state_size = static_cast<size_t>(network.spec().state_size());
  std::vector<std::vector<float>> states(count, std::vector<float>(state_size, 0.0f));
  for (size_t i = 0; i < count; ++i) {
    inputs_.push_back(RandomValues(static_cast<size_t>(timesteps * input_size_), static_cast<uint32_t>(i)));
    outputs_.emplace_back(static_cast<size_t>(timesteps * output_size_));
  }
  std::vector<StepRow> rows(count);
  for (int64_t step = 0; step < timesteps; ++step) {
    for (size_t i = 0; i < count; ++i) {
      rows[i].input = inputs_[i].data() + step * input_size_;
      rows[i].state_in = rows[i].state_out = states[i].data();
      rows[i].output = outputs_[i].data() + step * output_size_;
    }
    network.Step(absl::MakeSpan(rows));
  }
}

std::vector<float> KnownSeries::Inputs(size_t series, int64_t begin, int64_t end) const {
  return Rows(inputs_[series], input_size_, begin, end);
}

std::vector<float> KnownSeries::Outputs(size_t series, int64_t begin, int64_t end) const {
  return Rows(outputs_[series], output_size_, begin, end);
}

}  // namespace rondo
