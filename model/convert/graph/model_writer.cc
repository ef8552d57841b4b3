#include "model/convert/graph/model_writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/convert/graph/layers.h"
#include "model/safetensors.h"

namespace rondo::convert {
namespace {

using Texts = std::vector<std::string>;

// The functions that only a dense layer may have; after other elements they stand as elements of their own.
bool NeedsDense(const std::string& function) {
  return function == "softmax" || function == "log_softmax" || function == "log" || function == "softplus" ||
         function == "gelu";
}

bool CanActivate(const Element& element) {
  return (element.type == "dense" || element.type == "conv1d" || element.type == "causal_conv1d") &&
         !element.attributes.contains("activation");
}

// The element that a memory remembers; empty: the element is no memory.
std::string NextOf(const Element& element) {
  return element.type == "memory" ? element.attributes["next"].get<std::string>() : "";
}

// How often each value is read; the output counts as a reader.
std::map<std::string, int> ReaderCounts(const ElementGraph& graph) {
  std::map<std::string, int> counts = {{graph.output().name, 1}};
  for (const Element& element : graph.elements()) {
    for (const std::string& of : element.of) ++counts[of];
    if (const std::string next = NextOf(element); !next.empty()) ++counts[next];
  }
  return counts;
}

void JoinActivations(ElementGraph* graph) {
  std::map<std::string, int> counts = ReaderCounts(*graph);
  std::map<std::string, std::string> replaced;
  std::vector<Element>& elements = graph->elements();
  for (Element& element : elements) {
    for (std::string& of : element.of) {
      if (const auto found = replaced.find(of); found != replaced.end()) of = found->second;
    }
    if (element.type != "activation" || counts.at(element.of[0]) != 1) continue;
    const auto before =
        std::find_if(elements.begin(), elements.end(), [&](const Element& each) { return each.name == element.of[0]; });
    if (before == elements.end() || !CanActivate(*before)) continue;
    const Json& function = element.attributes["function"];
    if (!function.is_string() || (before->type != "dense" && NeedsDense(function.get<std::string>()))) continue;
    if (function != "linear") {
      before->attributes["activation"] = element.attributes.size() == 1 ? function : Json(element.attributes);
    }
    replaced[element.name] = before->name;
    counts[before->name] = counts.at(element.name);  // what reads the activation reads the joined element now
  }
  for (Element& element : elements) {
    if (const auto found = replaced.find(NextOf(element)); found != replaced.end())
      element.attributes["next"] = found->second;
  }
  elements.erase(std::remove_if(elements.begin(), elements.end(),
                                [&](const Element& element) { return replaced.count(element.name) > 0; }),
                 elements.end());
  if (const auto found = replaced.find(graph->output().name); found != replaced.end()) {
    graph->SetOutput({found->second, graph->output().frame});
  }
}

// A constant that is added to a product without a bias is its bias.
void JoinBiases(ElementGraph* graph) {
  const std::map<std::string, int> counts = ReaderCounts(*graph);
  std::vector<Element>& elements = graph->elements();
  const auto find = [&](const std::string& name) {
    return std::find_if(elements.begin(), elements.end(), [&](const Element& each) { return each.name == name; });
  };
  for (Element& element : elements) {
    if (element.type != "add") continue;
    const auto product = find(element.of[0]), constant = find(element.of[1]);
    const bool joins = product != elements.end() && constant != elements.end() && product->type == "dense" &&
                       constant->type == "constant" && product->attributes.contains("bias") &&
                       !product->attributes.contains("activation") && counts.at(product->name) == 1;
    if (!joins) continue;
    const Array& value = constant->slots[0].second;
    const int64_t units = product->frame.size();
    if (value.size() != units && value.size() != 1) continue;
    product->attributes.erase("bias");
    product->slots.emplace_back("bias", value.size() == 1 ? Filled({units}, value.values[0]) : value);
    // The sum becomes what passes the product on, and goes with the elements that nothing reads.
    element.type = "activation";
    element.attributes = {{"function", "linear"}};
    element.of.pop_back();
  }
}

void LeaveOutUnread(ElementGraph* graph) {
  std::set<std::string> needed = {graph->output().name};
  std::vector<Element>& elements = graph->elements();
  // What a memory remembers may stand behind it, so that one pass does not find all.
  for (size_t before = 0; before != needed.size();) {
    before = needed.size();
    for (auto element = elements.rbegin(); element != elements.rend(); ++element) {
      if (needed.count(element->name) == 0) continue;
      needed.insert(element->of.begin(), element->of.end());
      if (const std::string next = NextOf(*element); !next.empty()) needed.insert(next);
    }
  }
  elements.erase(std::remove_if(elements.begin(), elements.end(),
                                [&](const Element& element) { return needed.count(element.name) == 0; }),
                 elements.end());
}

Json InputsJson(const ElementGraph& graph) {
  if (graph.tokens() > 0) return {{"tokens", graph.tokens()}};
  return {{"size", graph.input_size()}};
}

Json ElementJson(const Element& element) {
  Json json = {{"name", element.name}, {"type", element.type}};
  if (element.of.size() == 1) json["of"] = element.of[0];
  if (element.of.size() > 1) json["of"] = element.of;
  json.update(element.attributes);
  return json;
}

std::string FrameText(const Frame& frame) {
  return frame.length == 1 ? absl::StrCat(frame.channels) : absl::StrCat(frame.channels, " x ", frame.length);
}

std::string AttributesText(const Element& element) {
  Texts texts;
  for (const auto& [key, value] : element.attributes.items()) {
    if (key == "units" || key == "channels") continue;  // the shape says it
    texts.push_back(absl::StrCat(key, "=", value.is_string() ? value.get<std::string>() : value.dump()));
  }
  return absl::StrJoin(texts, " ");
}

std::string Columns(const std::vector<Texts>& rows) {
  std::vector<size_t> widths(rows[0].size(), 0);
  for (const Texts& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Texts& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), row[i]);
    absl::StrAppend(&text, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
  }
  return text;
}

std::string InputText(const ElementGraph& graph) {
  if (graph.tokens() > 0) return absl::StrCat("a token of ", graph.tokens());
  return absl::StrCat(graph.input_size(), graph.input_size() == 1 ? " number" : " numbers");
}

}  // namespace

void Simplify(ElementGraph* graph) {
  // A network is one element at least.
  if (graph->output().name == "input") {
    graph->SetOutput(AddActivation(graph, "output", graph->output(), {{"function", "linear"}}));
  }
  LeaveOutUnread(graph);
  JoinBiases(graph);
  JoinActivations(graph);
  LeaveOutUnread(graph);
}

std::string DescriptionJson(const ElementGraph& graph) {
  Json json = {{"format", 2}, {"inputs", InputsJson(graph)}, {"elements", Json::array()}};
  for (const Element& element : graph.elements()) json["elements"].push_back(ElementJson(element));
  json["output"] = {{"of", graph.output().name}, {"head", "linear"}};
  for (const auto& [key, value] : graph.description().items()) {
    if (key == "output") {
      json[key].update(value);
    } else {
      json[key] = value;
    }
  }
  return json.dump();
}

std::string GraphTable(const ElementGraph& graph) {
  std::vector<Texts> rows = {{"element", "type", "of", "gives", "parameters", "state", ""}};
  int64_t parameters = 0;
  for (const Element& element : graph.elements()) {
    parameters += element.parameters();
    rows.push_back({element.name, element.type, absl::StrJoin(element.of, ", "), FrameText(element.frame),
                    absl::StrCat(element.parameters()), absl::StrCat(element.state_floats), AttributesText(element)});
  }
  std::string text = Columns(rows);
  absl::StrAppend(&text, "A timestep reads ", InputText(graph), " and gives ", graph.output().frame.size(), "; ",
                  graph.elements().size(), " elements, ", parameters, " parameters, ", graph.state_floats(),
                  " floats of state a session.\n");
  if (graph.whole_sequence()) {
    absl::StrAppend(&text, "It needs timesteps yet to come: it answers whole sequences, and no session.\n");
  }
  for (const std::string& note : graph.notes()) absl::StrAppend(&text, "note: ", note, "\n");
  return text;
}

absl::Status WriteModel(const ElementGraph& graph, const std::string& path) {
  std::vector<std::vector<float>> values;
  std::vector<TensorSlot> slots;
  for (const Element& element : graph.elements()) values.resize(values.size() + element.slots.size());
  size_t next = 0;
  for (const Element& element : graph.elements()) {
    for (const auto& [name, array] : element.slots) {
      std::vector<float>& floats = values[next++];
      floats.reserve(array.values.size());
      for (const double value : array.values) {
        floats.push_back(static_cast<float>(value));
        if (std::isfinite(floats.back())) continue;
        return absl::InvalidArgumentError(
            absl::StrCat("'", element.name, ".", name, "' has the value ", value, "; it must be finite in float32"));
      }
      slots.push_back({absl::StrCat(element.name, ".", name), {array.shape}, &floats});
    }
  }
  return WriteSafetensors({{"format", "pt"}, {"rondo", DescriptionJson(graph)}}, slots, path);
}

}  // namespace rondo::convert
