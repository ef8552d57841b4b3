#include "model/convert/onnx/own_file.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "model/convert/graph/metadata_keys.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

std::string Said(const OnnxModel& model, const char* key) {
  const auto found = model.metadata.find(key);
  return found == model.metadata.end() ? "" : found->second;
}

// The nodes that `output` needs, in their order, without those that make `input`. Empty: `output` does not come of it.
std::vector<OnnxNode> NodesBetween(const std::vector<OnnxNode>& nodes, const std::string& input,
                                   const std::string& output) {
  std::set<std::string> needed = {output};
  std::vector<OnnxNode> between;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const bool makes = std::any_of(node->outputs.begin(), node->outputs.end(), [&](const std::string& name) {
      return !name.empty() && name != input && needed.count(name) > 0;
    });
    if (!makes) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    between.push_back(*node);
  }
  std::reverse(between.begin(), between.end());
  // What asks the model's own input for its timesteps may ask the network's.
  for (OnnxNode& node : between) {
    if (node.op == "Shape") node.inputs = {input};
  }
  return needed.count(input) > 0 ? between : std::vector<OnnxNode>{};
}

}  // namespace

absl::StatusOr<Json> CutToNetwork(OnnxModel* model) {
  const std::string text = Said(*model, kServedKey), input = Said(*model, kNetworkInputKey),
                    output = Said(*model, kNetworkOutputKey);
  int64_t width = 0;
  constexpr int64_t kMostWidth = int64_t{1} << 20;
  const bool said = !text.empty() && absl::SimpleAtoi(Said(*model, kNetworkWidthKey), &width);
  if (!said || input.empty() || output.empty() || width < 0 || width > kMostWidth) return Json::object();
  OnnxGraph& graph = model->graph;
  // What a program has put before or behind the network since would be cut off with the rest.
  const bool begins = std::any_of(graph.inputs.begin(), graph.inputs.end(),
                                  [](const OnnxValue& value) { return value.name == kGivenName; });
  if (!begins || graph.outputs.size() != 1 || graph.outputs[0].name != kAnswerName) return Json::object();
  std::vector<OnnxNode> nodes = NodesBetween(graph.nodes, input, output);
  if (nodes.empty()) return Json::object();
  if (const auto checked = ParseJson(text); !checked.ok() || !checked->is_object() || checked->contains("elements")) {
    return absl::InvalidArgumentError(absl::StrCat("the metadata ", Quoted(kServedKey),
                                                   " is no description without elements, as rondo-convert writes one"));
  }
  if (width > 0) {
    graph.inputs = {{input, false, true, {{"timesteps", -1}, {"", width}, {"", 1}}}};
  }
  graph.inputs.erase(std::remove_if(graph.inputs.begin(), graph.inputs.end(),
                                    [&](const OnnxValue& value) { return value.name != input; }),
                     graph.inputs.end());
  graph.nodes = std::move(nodes);
  graph.outputs = {{output, false, false, {}}};
  return Json::parse(text);
}

}  // namespace rondo::convert
