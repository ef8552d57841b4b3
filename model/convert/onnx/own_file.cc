#include "model/convert/onnx/own_file.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
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

// The nodes that `outputs` need, in their order, without those that make `input`. Empty: they do not come of it.
std::vector<OnnxNode> NodesBetween(const std::vector<OnnxNode>& nodes, const std::string& input,
                                   std::set<std::string> needed) {
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

bool IsState(const OnnxValue& value) { return absl::StartsWith(value.name, kStatePrefix); }

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
  const bool ends = std::all_of(graph.outputs.begin(), graph.outputs.end(),
                                [](const OnnxValue& value) { return value.name == kAnswerName || IsState(value); });
  if (!begins || !ends) return Json::object();
  std::set<std::string> needed = {output};
  for (const OnnxValue& value : graph.outputs) {
    if (IsState(value)) needed.insert(value.name);
  }
  const bool one_timestep = needed.size() > 1;
  std::vector<OnnxNode> nodes = NodesBetween(graph.nodes, input, std::move(needed));
  if (nodes.empty()) return Json::object();
  if (const auto checked = ParseJson(text); !checked.ok() || !checked->is_object() || checked->contains("elements")) {
    return absl::InvalidArgumentError(absl::StrCat("the metadata ", Quoted(kServedKey),
                                                   " is no description without elements, as rondo-convert writes one"));
  }
  const auto other = [&](const OnnxValue& value) { return value.name != input && !IsState(value); };
  graph.inputs.erase(std::remove_if(graph.inputs.begin(), graph.inputs.end(), other), graph.inputs.end());
  if (width > 0) {
    const OnnxDimension timesteps = one_timestep ? OnnxDimension{"", 1} : OnnxDimension{"timesteps", -1};
    graph.inputs.insert(graph.inputs.begin(), {input, false, true, {timesteps, {"", width}, {"", 1}}});
  }
  graph.nodes = std::move(nodes);
  const auto answers = [](const OnnxValue& value) { return !IsState(value); };
  graph.outputs.erase(std::remove_if(graph.outputs.begin(), graph.outputs.end(), answers), graph.outputs.end());
  graph.outputs.insert(graph.outputs.begin(), {output, false, false, {}});
  return Json::parse(text);
}

}  // namespace rondo::convert
