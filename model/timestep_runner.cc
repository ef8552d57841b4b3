#include "model/timestep_runner.h"

#include <algorithm>
#include <cstring>

#include "base/finite.h"

namespace rondo {
namespace {

// One turn of a loop takes no longer than a batch does: about 100 us on one core.
constexpr double kFlopsAtOnce = 4e6;
constexpr double kMostAtOnce = 64;

size_t HiddenSize(const GraphNode& node) { return static_cast<size_t>(node.element->layer()->hidden_size); }

}  // namespace

size_t TimestepRunner::TimestepsAtOnce(const Graph& graph, const std::vector<std::unique_ptr<ElementKernel>>& kernels,
                                       double flops_per_row) {
  for (size_t i = 0; i < kernels.size(); ++i) {
    const CellKernel* const layer = kernels[i]->layer();
    const bool follows =
        graph.nodes()[i].inputs.size() == 1 && graph.nodes()[i].inputs[0] == (i == 0 ? GraphNode::kInput : i - 1);
    if (layer == nullptr || !layer->runs_timesteps() || !follows) return 1;
  }
  return static_cast<size_t>(std::clamp(kFlopsAtOnce / flops_per_row, 1.0, kMostAtOnce));
}

TimestepRunner::TimestepRunner(const Graph& graph, const std::vector<std::unique_ptr<ElementKernel>>& kernels,
                               size_t at_once)
    : graph_(graph),
      kernels_(kernels),
      features_(at_once * static_cast<size_t>(graph.input().width)),
      state_(static_cast<size_t>(graph.element_state_size())),
      inputs_(at_once),
      hidden_(at_once) {
  size_t most_hidden = 0, most_scratchpad = 0;
  for (size_t i = 0; i < kernels.size(); ++i) {
    most_hidden = std::max(most_hidden, HiddenSize(graph.nodes()[i]));
    most_scratchpad = std::max(most_scratchpad, kernels[i]->layer()->timesteps_scratchpad_size(at_once));
  }
  for (AlignedBuffer& h : h_) h = AlignedBuffer(at_once * most_hidden);
  scratchpad_ = AlignedBuffer(most_scratchpad);
}

void TimestepRunner::Run(const FeatureEncoder& encoder, const OutputHead& head, Timesteps* timesteps) {
  timesteps->finite = false;
  for (size_t t = 0; t < timesteps->count; ++t) {
    encoder.Encode(timesteps->inputs + t * encoder.input_size(), timesteps->times == nullptr ? 0 : timesteps->times[t],
                   features_.get() + t * encoder.feature_size());
  }
  const float* last = features_.get();
  for (size_t layer = 0; layer < kernels_.size(); ++layer) {
    float* const h_out = h_[layer % 2].get();
    if (!RunLayer(layer, last, *timesteps, h_out)) return;
    last = h_out;
  }
  if (timesteps->outputs != nullptr && !WriteOutputs(head, encoder.input_size(), last, *timesteps)) return;
  std::memcpy(timesteps->state_out, state_.get(), state_.size() * sizeof(float));
  timesteps->finite = true;
}

// c that is not finite stays so, and so its last value tells of all; h of relu may come back.
bool TimestepRunner::RunLayer(size_t layer, const float* inputs, const Timesteps& timesteps, float* h_out) {
  const GraphNode& node = graph_.nodes()[layer];
  const size_t hidden = HiddenSize(node);
  const bool has_c = node.element->layer()->cell == Cell::kLstm;
  const float* const h_in = timesteps.state_in + node.state_offset;
  float* const state = state_.get() + node.state_offset;
  float* const c = has_c ? state + hidden : nullptr;
  if (has_c) std::memcpy(c, h_in + hidden, hidden * sizeof(float));
  kernels_[layer]->layer()->RunTimesteps({inputs, h_in, h_out, c, scratchpad_.get()}, timesteps.count);
  std::memcpy(state, h_out + (timesteps.count - 1) * hidden, hidden * sizeof(float));
  return AllFinite({h_out, timesteps.count * hidden}) && (!has_c || AllFinite({c, hidden}));
}

bool TimestepRunner::WriteOutputs(const OutputHead& head, size_t input_size, const float* hidden,
                                  const Timesteps& timesteps) {
  const size_t first = timesteps.last_only ? timesteps.count - 1 : 0, rows = timesteps.count - first;
  const size_t width = HiddenSize(graph_.nodes().back());
  for (size_t i = 0; i < rows; ++i) {
    inputs_[i] = timesteps.inputs + (first + i) * input_size;
    hidden_[i] = hidden + (first + i) * width;
  }
  head.Apply(inputs_.data(), hidden_.data(), rows, timesteps.outputs);
  return AllFinite({timesteps.outputs, rows * head.output_size()});
}

}  // namespace rondo
