#include "model/network_table.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "model/network_kernels.h"

namespace rondo {
namespace {

// The encoder is plain C++; the linear layer behind a stack is on kernels of our own.
constexpr char kEncoderKernel[] = "rondo/plain";

NetworkTableRow RowOf(const Graph& graph, const GraphNode& node, const std::string& kernel) {
  NetworkTableRow row{
      node.name, node.type, {}, node.attributes.dump(), node.element->output(), 0, node.element->state_size(), kernel};
  for (const size_t input : node.inputs) {
    row.of.push_back(input == GraphNode::kInput ? "input" : graph.nodes()[input].name);
  }
  for (const ElementSlot& slot : node.element->slots()) row.parameters += slot.shape.size();
  return row;
}

// What a plain stack puts in front of its cells.
NetworkTableRow EncoderRow(const ModelSpec& spec) {
  NetworkTableRow row{"encoder", "standardise", {"input"}, "{}", {spec.feature_size(), 1}, 2 * spec.input_size(),
                      0,         kEncoderKernel};
  if (spec.tokens > 0) {
    row.type = "embedding";
    row.attributes = absl::StrCat(R"({"tokens":)", spec.tokens, R"(,"units":)", spec.embedding_size, "}");
    row.parameters = spec.tokens * spec.embedding_size;
  }
  return row;
}

}  // namespace

std::vector<NetworkTableRow> NetworkTable(const Network& network) {
  const ModelSpec& spec = network.spec();
  const bool stack = spec.graph == nullptr;
  const std::shared_ptr<const Graph> graph = stack ? GraphOfStack(spec) : spec.graph;
  std::vector<NetworkTableRow> rows;
  if (graph == nullptr) return rows;
  if (stack) rows.push_back(EncoderRow(spec));
  for (size_t i = 0; i < graph->nodes().size(); ++i) {
    rows.push_back(RowOf(*graph, graph->nodes()[i], network.element_kernel_names()[i]));
  }
  if (!stack) return rows;
  rows[1].of = {"encoder"};
  const int64_t units = spec.output_size();
  rows.push_back({"head",
                  "dense",
                  {rows.back().name},
                  absl::StrCat(R"({"units":)", units, "}"),
                  {units, 1},
                  units * (spec.hidden_size + 1),
                  0,
                  network.head_kernel_name()});
  return rows;
}

}  // namespace rondo
