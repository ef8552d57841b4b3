#include "model/network/graph.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"
#include "model/json/object_reader.h"
#include "model/network/attribute_reader.h"
#include "model/network/element_table.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Need = ObjectReader::Need;

constexpr size_t kMaxNameBytes = 64;
constexpr char kInputName[] = "input";

void Refuse(absl::string_view message, absl::Status* status) {
  if (status->ok()) *status = absl::InvalidArgumentError(message);
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && name != kInputName &&
         std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

const ElementType* FindType(absl::string_view name) {
  for (const ElementType& type : ElementTypes()) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Graph>> Graph::Read(const Json& elements, const Input& input,
                                                         absl::string_view output) {
  absl::Status status;
  if (!elements.is_array() || elements.empty() || elements.size() > static_cast<size_t>(kMaxElements)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "elements is ", elements.is_array() ? absl::StrCat("of size ", elements.size()) : JsonKind(elements),
        "; it must be an array of 1 to ", kMaxElements));
  }
  std::shared_ptr<Graph> graph(new Graph);
  graph->input_ = input;
  for (size_t i = 0; i < elements.size() && status.ok(); ++i) graph->ReadNode(elements[i], &status);
  if (status.ok()) graph->FindNext(&status);
  if (!status.ok()) return status;
  const auto found = std::find_if(graph->nodes_.begin(), graph->nodes_.end(),
                                  [&](const GraphNode& node) { return node.name == output; });
  if (found == graph->nodes_.end()) {
    return absl::InvalidArgumentError(absl::StrCat("output.of is ", Quoted(output), "; no element has that name"));
  }
  graph->output_ = static_cast<size_t>(found - graph->nodes_.begin());
  return graph;
}

void Graph::ReadNode(const Json& json, absl::Status* status) {
  GraphNode node;
  std::string where = absl::StrCat("elements[", nodes_.size(), "]");
  {
    ObjectReader reader(json, where, status);
    reader.Read("name", Need::kRequired, &node.name);
    reader.Read("type", Need::kRequired, &node.type);
    if (!status->ok()) return;
    if (!IsName(node.name)) {
      return Refuse(absl::StrCat(where, ".name is ", Quoted(node.name), "; it must be 1 to ", kMaxNameBytes,
                                 " letters, digits and _, and not input"),
                    status);
    }
    where = absl::StrCat("element '", node.name, "'");
    const auto same = [&](const GraphNode& earlier) { return earlier.name == node.name; };
    if (std::any_of(nodes_.begin(), nodes_.end(), same)) return Refuse(absl::StrCat(where, " is there twice"), status);
  }
  const ElementType* const type = FindType(node.type);
  if (type == nullptr) {
    std::string known;
    for (const ElementType& each : ElementTypes()) absl::StrAppend(&known, known.empty() ? "" : ", ", each.name);
    return Refuse(absl::StrCat(where, " is of type ", Quoted(node.type), "; it must be one of ", known), status);
  }
  ObjectReader object(json, where, status);
  object.Find("name", Need::kRequired);
  object.Find("type", Need::kRequired);
  node.inputs = ReadInputs(object.Find("of", Need::kOptional), object.Where("of"), status);
  std::vector<Frame> frames;
  for (const size_t input : node.inputs) {
    frames.push_back(input == GraphNode::kInput ? Frame{input_.width, 1} : nodes_[input].element->output());
  }
  AttributeReader attributes(&object, frames, status);
  node.element = type->read(attributes);
  object.RefuseOthers();
  if (!status->ok()) return;
  node.attributes = attributes.TakeText();
  Add(std::move(node), status);
}

void Graph::FindNext(absl::Status* status) {
  for (GraphNode& node : nodes_) {
    const std::string& next = node.element->next();
    if (next.empty()) continue;
    const auto found =
        std::find_if(nodes_.begin(), nodes_.end(), [&](const GraphNode& each) { return each.name == next; });
    const std::string where = absl::StrCat("element '", node.name, "': next names ", Quoted(next));
    if (found == nodes_.end()) return Refuse(absl::StrCat(where, "; no element has that name"), status);
    if (found->element->output().size() != node.element->state_size()) {
      return Refuse(absl::StrCat(where, ", which answers ", found->element->output().size(), " numbers; ",
                                 node.element->state_size(), " were wanted"),
                    status);
    }
    if (whole_sequence_) {
      return Refuse(absl::StrCat(where, ", and a ", node.type, " goes timestep by timestep; element '",
                                 whole_sequence_element_, "' needs whole sequences"),
                    status);
    }
    node.next = static_cast<size_t>(found - nodes_.begin());
  }
}

std::vector<size_t> Graph::ReadInputs(const Json* of, absl::string_view where, absl::Status* status) const {
  std::vector<size_t> inputs;
  if (of == nullptr) return inputs;
  const Json names = of->is_array() ? *of : Json::array({*of});
  if (names.size() > static_cast<size_t>(kMaxElements)) {
    Refuse(absl::StrCat(where, " names ", names.size(), " values; it may name ", kMaxElements), status);
    return inputs;
  }
  for (const Json& name : names) {
    if (!name.is_string()) {
      Refuse(absl::StrCat(where, " has ", JsonKind(name), "; it must name input or earlier elements"), status);
      return inputs;
    }
    const auto& text = name.get_ref<const std::string&>();
    const auto found =
        std::find_if(nodes_.begin(), nodes_.end(), [&](const GraphNode& node) { return node.name == text; });
    if (text != kInputName && found == nodes_.end()) {
      Refuse(absl::StrCat(where, " names ", Quoted(text), "; it must name input or an earlier element"), status);
      return inputs;
    }
    inputs.push_back(text == kInputName ? GraphNode::kInput : static_cast<size_t>(found - nodes_.begin()));
  }
  return inputs;
}

void Graph::SetClock(GraphNode* node, absl::Status* status) {
  node->clock = GraphNode::kAnyClock;
  for (const size_t input : node->inputs) {
    const size_t clock = ClockOf(input);
    if (clock == GraphNode::kAnyClock) continue;
    if (node->clock != GraphNode::kAnyClock && node->clock != clock) {
      return Refuse(absl::StrCat("element '", node->name, "' takes values of different timesteps: some pooled over ",
                                 "timesteps, some not"),
                    status);
    }
    node->clock = clock;
  }
  if (node->element->time_order().windows.kernel == 0) return;
  clock_makers_.push_back(nodes_.size());
  node->clock = clock_makers_.size();
}

void Graph::Add(GraphNode node, absl::Status* status) {
  const Element& element = *node.element;
  const bool of_input = std::count(node.inputs.begin(), node.inputs.end(), GraphNode::kInput) > 0;
  if (of_input && element.tokens() != input_.tokens) {
    return Refuse(
        absl::StrCat("element '", node.name, "' takes ",
                     element.tokens() > 0 ? absl::StrCat(element.tokens(), " tokens") : "numbers", "; the inputs are ",
                     input_.tokens > 0 ? absl::StrCat(input_.tokens, " tokens") : "numbers"),
        status);
  }
  if (!of_input && element.tokens() > 0) {
    return Refuse(absl::StrCat("element '", node.name, "' takes tokens; only the input has them"), status);
  }
  SetClock(&node, status);
  node.state_offset = static_cast<size_t>(element_state_size_);
  node.first_slot = num_slots_;
  // Each is bounded by itself, so no sum overflows.
  row_floats_ += element.output().size();
  element_state_size_ += element.state_size();
  if (row_floats_ > kMaxFloats || element_state_size_ > kMaxFloats || element.state_size() > kMaxFloats) {
    return Refuse(absl::StrCat("element '", node.name, "': up to it a timestep has ", row_floats_,
                               " numbers and a state ", element_state_size_, "; each may have ", kMaxFloats),
                  status);
  }
  products_ += element.products();
  num_slots_ += element.slots().size();
  if (!element.time_order().steps() && !whole_sequence_) {
    whole_sequence_ = true;
    whole_sequence_element_ = node.name;
  }
  if (status->ok()) nodes_.push_back(std::move(node));
}

OrderedJson Graph::ElementsJson() const {
  OrderedJson elements = OrderedJson::array();
  for (const GraphNode& node : nodes_) {
    OrderedJson json = {{"name", node.name}, {"type", node.type}};
    if (node.inputs.size() == 1) {
      json["of"] = NameOf(node.inputs[0]);
    } else if (!node.inputs.empty()) {
      json["of"] = OrderedJson::array();
      for (const size_t input : node.inputs) json["of"].push_back(NameOf(input));
    }
    json.update(node.attributes);
    elements.push_back(std::move(json));
  }
  return elements;
}

}  // namespace rondo
