#include "model/convert/torch/described_network.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/graph/layers.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Parsed = nlohmann::json;

// One element of the description with what it reads and its tensors, while it is added to the graph.
class DescribedElement {
 public:
  DescribedElement(const Parsed& json, std::string name, std::vector<Value> of, const WeightFile& file,
                   ElementGraph* graph)
      : json_(json), name_(std::move(name)), of_(std::move(of)), file_(file), graph_(graph) {}

  ElementGraph* graph() const { return graph_; }
  const std::string& name() const { return name_; }
  const std::vector<Value>& all() const { return of_; }
  Value in(size_t i = 0) const { return i < of_.size() ? of_[i] : Value{}; }
  std::string type() const { return Text("type", ""); }

  int64_t Whole(const char* key, int64_t otherwise) const {
    const auto found = json_.find(key);
    if (found == json_.end()) return otherwise;
    if (found->is_number_integer()) return found->get<int64_t>();
    graph_->Refuse(
        absl::StrCat("element '", name_, "': ", key, " is ", JsonKind(*found), "; a whole number was wanted"));
    return otherwise;
  }

  double Number(const char* key, double otherwise) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_number() ? found->get<double>() : otherwise;
  }

  bool Switch(const char* key) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_boolean() && found->get<bool>();
  }

  std::string Text(const char* key, const char* otherwise) const {
    const auto found = json_.find(key);
    return found != json_.end() && found->is_string() ? found->get<std::string>() : otherwise;
  }

  Json Function() const {
    const auto found = json_.find("activation");
    return found == json_.end() ? Json("linear") : Json(*found);
  }

  Window ReadWindow() const {
    Window window{Whole("kernel", 1), Whole("stride", 1), Whole("dilation", 1), Whole("groups", 1), 0, 0};
    const auto padding = json_.find("padding");
    if (padding != json_.end() && padding->is_array() && padding->size() == 2 && (*padding)[0].is_number_integer() &&
        (*padding)[1].is_number_integer()) {
      window.left = (*padding)[0].get<int64_t>();
      window.right = (*padding)[1].get<int64_t>();
    }
    return window;
  }

  // The keys that are the element's own, for the description that is written.
  Json Attributes() const {
    Json attributes = Json::object();
    for (const auto& member : json_.items()) {
      const std::set<std::string> elsewhere = {"name", "type", "of", "module", "tensors"};
      if (elsewhere.count(member.key()) == 0) attributes[member.key()] = Json(member.value());
    }
    return attributes;
  }

  // The tensor of a slot. Empty: the file has none; refused if it must have one.
  Array Tensor(const std::string& slot, bool required = true) const {
    const auto tensors = json_.find("tensors");
    if (tensors != json_.end() && tensors->is_object() && tensors->contains(slot) && (*tensors)[slot].is_string()) {
      return Named({(*tensors)[slot].get<std::string>()}, true);
    }
    const std::string module = Text("module", name_.c_str());
    const char* const direction = Text("direction", "forward") == "reverse" ? "_reverse" : "";
    return Named({absl::StrCat(module, ".", slot), absl::StrCat(module, ".", slot, "_l0", direction),
                  absl::StrCat(module, ".", slot, "_l0")},
                 required);
  }

  CellWeights Cell() const {
    return {Tensor("weight_ih"),       Tensor("weight_hh"),        Tensor("bias_ih", false),  Tensor("bias_hh", false),
            Tensor("peephole", false), Tensor("initial_h", false), Tensor("initial_c", false)};
  }

 private:
  Array Named(const std::vector<std::string>& names, bool required) const {
    for (const std::string& name : names) {
      for (const NamedTensor& tensor : file_.tensors) {
        if (tensor.name == name) return tensor.array;
      }
    }
    if (required) graph_->Refuse(absl::StrCat("element '", name_, "': the file has no tensor ", Quoted(names[0])));
    return {};
  }

  const Parsed& json_;
  const std::string name_;
  const std::vector<Value> of_;
  const WeightFile& file_;
  ElementGraph* const graph_;
};

using Adder = std::function<Value(const DescribedElement&)>;

Value AddDescribedCell(const DescribedElement& e) {
  return AddCell(e.graph(), e.name(), e.type(), e.in(), e.Cell(), e.Attributes());
}

Value AddDescribedCellOfFrame(const DescribedElement& e) {
  const std::string cell = e.Text("cell", "");
  if (cell != "lstm" && cell != "gru" && cell != "rnn")
    e.graph()->Refuse(
        absl::StrCat("element '", e.name(), "' has the cell ", Quoted(cell), "; it must be lstm, gru or rnn"));
  return AddCell(e.graph(), e.name(), cell, e.in(), e.Cell(), e.Attributes(),
                 e.type() == "frame_cell" ? CellPath::kFrame : CellPath::kPositions);
}

Value AddDescribedConv(const DescribedElement& e) {
  Array weight = e.Tensor("weight");
  Window window = e.ReadWindow();
  if (e.type() == "causal_conv1d") {
    return AddCausalConv(e.graph(), e.name(), e.in(), std::move(weight), e.Tensor("bias", false), window,
                         e.Whole("ahead", 0), e.Function());
  }
  return AddConv(e.graph(), e.name(), e.in(), std::move(weight), e.Tensor("bias", false), window, e.Function());
}

Value AddDescribedPool(const DescribedElement& e) {
  Window window = e.ReadWindow();
  window.stride = e.Whole("stride", window.kernel);
  return AddPool(e.graph(), e.name(), e.type(), e.in(), window, e.Switch("count_padding"));
}

Value AddDescribedArithmetic(const DescribedElement& e) {
  return AddArithmetic(e.graph(), e.name(), e.type(), e.in(0), e.in(1));
}

Value AddDescribedReduction(const DescribedElement& e) { return AddReduction(e.graph(), e.name(), e.type(), e.in()); }

Value AddDescribedSequence(const DescribedElement& e) { return AddSequence(e.graph(), e.name(), e.type(), e.in()); }

// Of elements whose value is as wide as what they read, or whose width an attribute says.
Value AddPlain(const DescribedElement& e, const std::vector<std::string>& slots, Frame frame, int64_t state) {
  Element element;
  element.name = e.name();
  element.type = e.type();
  for (const Value& value : e.all()) element.of.push_back(value.name);
  element.frame = frame;
  element.state_floats = state;
  for (const std::string& slot : slots) element.slots.emplace_back(slot, e.Tensor(slot));
  return e.graph()->Add(std::move(element));
}

Value AddMemoryOf(const DescribedElement& e) {
  if (e.Text("next", "").empty())
    e.graph()->Refuse(absl::StrCat("element '", e.name(), "' is a memory and names no element under next"));
  return AddMemory(e.graph(), e.name(), e.Whole("units", 0));
}

const std::map<std::string, Adder>& Adders() {
  static const auto& adders = *new std::map<std::string, Adder>{
      {"dense",
       [](const DescribedElement& e) {
         return AddDense(e.graph(), e.name(), e.in(), e.Tensor("weight"), e.Tensor("bias", false), e.Function());
       }},
      {"lstm", AddDescribedCell},
      {"gru", AddDescribedCell},
      {"rnn", AddDescribedCell},
      {"frame_cell", AddDescribedCellOfFrame},
      {"position_cell", AddDescribedCellOfFrame},
      {"conv1d", AddDescribedConv},
      {"causal_conv1d", AddDescribedConv},
      {"max_pool", AddDescribedPool},
      {"average_pool", AddDescribedPool},
      {"mean", AddDescribedReduction},
      {"max", AddDescribedReduction},
      {"sum", AddDescribedReduction},
      {"add", AddDescribedArithmetic},
      {"subtract", AddDescribedArithmetic},
      {"multiply", AddDescribedArithmetic},
      {"divide", AddDescribedArithmetic},
      {"sequence_first", AddDescribedSequence},
      {"sequence_last", AddDescribedSequence},
      {"sequence_mean", AddDescribedSequence},
      {"sequence_max", AddDescribedSequence},
      {"embedding",
       [](const DescribedElement& e) { return AddEmbedding(e.graph(), e.name(), e.in(), e.Tensor("weight")); }},
      {"scale",
       [](const DescribedElement& e) {
         return AddScale(e.graph(), e.name(), e.in(), e.Tensor("weight"), e.Tensor("bias"));
       }},
      {"pad",
       [](const DescribedElement& e) {
         return AddPad(e.graph(), e.name(), e.in(), e.Whole("left", 0), e.Whole("right", 0), e.Text("mode", "zero"));
       }},
      {"layer_norm",
       [](const DescribedElement& e) {
         return AddLayerNorm(e.graph(), e.name(), e.in(), e.Tensor("weight"), e.Tensor("bias", false),
                             e.Number("epsilon", 1e-5));
       }},
      {"l2_norm",
       [](const DescribedElement& e) { return AddL2Norm(e.graph(), e.name(), e.in(), e.Number("epsilon", 0)); }},
      {"memory", AddMemoryOf},
      {"constant", [](const DescribedElement& e) { return AddConstant(e.graph(), e.name(), e.Tensor("value")); }},
      {"concat",
       [](const DescribedElement& e) { return AddConcat(e.graph(), e.name(), e.all(), e.Text("axis", "channels")); }},
      {"slice",
       [](const DescribedElement& e) {
         return AddSlice(e.graph(), e.name(), e.in(), e.Text("axis", "channels"), e.Whole("from", 0), e.Whole("to", 0),
                         e.Whole("step", 1));
       }},
      {"reshape",
       [](const DescribedElement& e) {
         return AddReshape(e.graph(), e.name(), e.in(), {e.Whole("channels", 0), e.Whole("length", 1)});
       }},
      {"transpose", [](const DescribedElement& e) { return AddTranspose(e.graph(), e.name(), e.in()); }},
      {"delay", [](const DescribedElement& e) { return AddDelay(e.graph(), e.name(), e.in(), e.Whole("steps", 1)); }},
      {"activation",
       [](const DescribedElement& e) { return AddActivation(e.graph(), e.name(), e.in(), e.Attributes()); }},
      {"standardise",
       [](const DescribedElement& e) {
         return AddPlain(e, {"mean", "deviation"}, {e.in().frame.size(), 1}, 0);
       }},
      {"instance_statistics",
       [](const DescribedElement& e) {
         return AddPlain(e, {}, {2 * e.in().frame.size(), 1}, 1 + 2 * e.in().frame.size());
       }},
      {"instance_scale", [](const DescribedElement& e) { return AddPlain(e, {}, e.in().frame, 0); }},
      {"instance_unscale", [](const DescribedElement& e) { return AddPlain(e, {}, e.in().frame, 0); }},
      {"sequence_max_pool", [](const DescribedElement& e) { return AddPlain(e, {}, e.in().frame, 0); }},
      {"sequence_average_pool", [](const DescribedElement& e) { return AddPlain(e, {}, e.in().frame, 0); }},
      {"lag_window",
       [](const DescribedElement& e) {
         return AddPlain(e, {}, {e.Whole("length", 0), 1}, e.Whole("length", 0) + 1);
       }},
  };
  return adders;
}

class DescribedNetwork {
 public:
  DescribedNetwork(const WeightFile& file, ElementGraph* graph) : file_(file), graph_(*graph) {}

  void Build(const Parsed& description) {
    ReadInputs(description);
    const auto elements = description.find("elements");
    if (elements == description.end() || !elements->is_array()) return graph_.Refuse("the description has no elements");
    for (const Parsed& element : *elements) {
      if (!graph_.status().ok()) return;
      AddElement(element);
    }
    ReadOutput(description);
    Json rest = Json::object();
    for (const auto& member : description.items()) {
      if (member.key() != "elements") rest[member.key()] = Json(member.value());
    }
    if (rest.contains("output") && rest["output"].is_object()) rest["output"].erase("of");
    graph_.SetDescription(std::move(rest));
  }

 private:
  void ReadInputs(const Parsed& description) {
    const auto inputs = description.find("inputs");
    Value value;
    const auto calendar = description.find("calendar");
    // A sine and a cosine each, after the inputs.
    const int64_t times = calendar == description.end() ? 0 : 2 * static_cast<int64_t>(calendar->size());
    if (inputs != description.end() && inputs->is_array()) {
      value = graph_.SetInput(static_cast<int64_t>(inputs->size()) + times);
    } else if (inputs != description.end() && inputs->is_object() && inputs->contains("tokens") &&
               (*inputs)["tokens"].is_number_integer()) {
      value = graph_.SetTokens((*inputs)["tokens"].get<int64_t>());
    } else if (inputs != description.end() && inputs->is_object() && inputs->contains("size") &&
               (*inputs)["size"].is_number_integer()) {
      value = graph_.SetInput((*inputs)["size"].get<int64_t>() + times);
    } else {
      return graph_.Refuse(
          "the description has no inputs: a list of {\"name\": NAME}, {\"size\": N} or {\"tokens\": N}");
    }
    values_["input"] = value;
  }

  Value Named(const std::string& reader, const Parsed& name) {
    const auto found = name.is_string() ? values_.find(name.get<std::string>()) : values_.end();
    if (found != values_.end()) return found->second;
    graph_.Refuse(absl::StrCat("element '", reader, "' reads ",
                               name.is_string() ? Quoted(name.get<std::string>()) : "no name",
                               ", which no element before it has"));
    return {};
  }

  void AddElement(const Parsed& json) {
    if (!json.is_object() || !json.contains("name") || !json["name"].is_string() || !json.contains("type") ||
        !json["type"].is_string()) {
      return graph_.Refuse("an element of the description has no name or no type");
    }
    const std::string name = json["name"].get<std::string>(), type = json["type"].get<std::string>();
    const auto adder = Adders().find(type);
    if (adder == Adders().end())
      return graph_.Refuse(absl::StrCat("element '", name, "' is of the unknown type ", Quoted(type)));
    std::vector<Value> of;
    if (const auto found = json.find("of"); found != json.end() && found->is_array()) {
      for (const Parsed& each : *found) of.push_back(Named(name, each));
    } else if (found != json.end()) {
      of.push_back(Named(name, *found));
    }
    const DescribedElement element(json, name, std::move(of), file_, &graph_);
    const size_t before = graph_.elements().size();
    values_[name] = adder->second(element);
    if (graph_.status().ok() && graph_.elements().size() > before) {
      graph_.elements().back().attributes.update(element.Attributes());
    }
  }

  void ReadOutput(const Parsed& description) {
    const auto output = description.find("output");
    if (output == description.end() || !output->is_object() || !output->contains("of")) {
      return graph_.Refuse("the description has no output with the name of an element (\"of\")");
    }
    graph_.SetOutput(Named("output", (*output)["of"]));
  }

  const WeightFile& file_;
  ElementGraph& graph_;
  std::map<std::string, Value> values_;
};

}  // namespace

void BuildDescribed(const WeightFile& file, const nlohmann::json& description, ElementGraph* graph) {
  DescribedNetwork(file, graph).Build(description);
}

}  // namespace rondo::convert
