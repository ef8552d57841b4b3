#include "model/network_kernels.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/network/layer_element.h"
#include "model/spec_json.h"

namespace rondo {
namespace {

// Floats of all values of one batch: bounds a workspace whatever a description announces.
constexpr size_t kMaxBatchFloats = size_t{1} << 23;

// Batches of a graph have so few rows that their values fit.
std::vector<size_t> FittingBatchSizes(std::vector<size_t> sizes, const Graph& graph) {
  const size_t most = kMaxBatchFloats / static_cast<size_t>(graph.row_floats());
  while (sizes.size() > 1 && sizes.back() > most) sizes.pop_back();
  return sizes;
}

// The layers of a network that kernels/ runs as a whole.
struct Layers {
  std::vector<LayerShape> shapes;
  std::vector<LayerWeights> weights;
};

Layers LayersOf(const Graph& graph, const Weights& weights) {
  Layers layers;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const LayerShape* const shape = graph.nodes()[i].element->layer();
    if (shape == nullptr) continue;
    const SlotValues values = graph.WeightsOf(i, weights.tensors);
    layers.shapes.push_back(*shape);
    layers.weights.push_back({values[0], values[1], values[2], values[3]});
  }
  return layers;
}

Layers LayersOfStack(const Graph& graph, const Weights& weights) {
  Layers layers;
  for (const GraphNode& node : graph.nodes()) layers.shapes.push_back(*node.element->layer());
  layers.weights = weights.layers;
  return layers;
}

std::vector<float> InitialState(const Graph& graph, const Weights& weights) {
  std::vector<float> state(static_cast<size_t>(graph.element_state_size()));
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const GraphNode& node = graph.nodes()[i];
    node.element->WriteInitialState(graph.WeightsOf(i, weights.tensors), state.data() + node.state_offset);
  }
  const bool zeros = std::all_of(state.begin(), state.end(), [](float value) { return value == 0; });
  return zeros ? std::vector<float>() : state;
}

}  // namespace

std::shared_ptr<const Graph> GraphOfStack(const ModelSpec& spec) {
  nlohmann::json elements = nlohmann::json::array();
  std::string last = "input";
  for (int64_t k = 0; k < spec.num_layers; ++k) {
    nlohmann::json cell = {{"name", absl::StrCat("rnn_l", k)},
                           {"type", std::string(CellName(spec.cell))},
                           {"of", last},
                           {"units", static_cast<uint64_t>(spec.hidden_size)}};
    cell.update(nlohmann::json(CellAttributes(spec)));
    last = cell["name"].get<std::string>();
    elements.push_back(std::move(cell));
  }
  auto graph = Graph::Read(elements, {spec.feature_size(), 0}, last);
  return graph.ok() ? *std::move(graph) : nullptr;
}

absl::StatusOr<NetworkKernels> MakeNetworkKernels(const ModelSpec& spec, const Weights& weights,
                                                  const KernelOptions& options) {
  NetworkKernels kernels;
  const bool stack = spec.graph == nullptr;
  kernels.graph = stack ? GraphOfStack(spec) : spec.graph;
  if (kernels.graph == nullptr) return absl::InternalError("the stack has no graph");
  const Layers layers = stack ? LayersOfStack(*kernels.graph, weights) : LayersOf(*kernels.graph, weights);
  const std::string ours = absl::StrCat("rondo/", InstructionSetName(options.instruction_set));
  LayerKernels of_layers;
  if (!layers.shapes.empty()) {
    absl::StatusOr<LayerKernels> made = MakeLayerKernels(layers.shapes, layers.weights, options);
    if (!made.ok()) return made.status();
    of_layers = *std::move(made);
    kernels.deterministic = of_layers.deterministic;
    kernels.weights = of_layers.weights;
  } else {
    of_layers.batch_sizes.resize(options.max_batch_size);
    std::iota(of_layers.batch_sizes.begin(), of_layers.batch_sizes.end(), 1);
    of_layers.name = ours;
  }
  kernels.name = std::move(of_layers.name);
  kernels.batch_sizes =
      stack ? std::move(of_layers.batch_sizes) : FittingBatchSizes(std::move(of_layers.batch_sizes), *kernels.graph);
  auto layer = of_layers.layers.begin();
  for (size_t i = 0; i < kernels.graph->nodes().size(); ++i) {
    const Element& element = *kernels.graph->nodes()[i].element;
    const SlotValues values = stack ? SlotValues() : kernels.graph->WeightsOf(i, weights.tensors);
    kernels.element_names.push_back(element.layer() != nullptr ? (*layer)->name() : ours);
    kernels.elements.push_back(element.layer() != nullptr ? MakeLayerElement(std::move(*layer++), *element.layer())
                                                          : element.MakeKernel(values, options));
  }
  kernels.head_name = ours;
  if (!stack) kernels.initial_state = InitialState(*kernels.graph, weights);
  return kernels;
}

}  // namespace rondo
