#include "model/convert/torch/module_stack.h"

#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/graph/layers.h"
#include "model/convert/torch/module.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using ModuleKind = Module::Kind;
using Modules = std::vector<Module>;

constexpr double kNormEpsilon = 1e-5;  // of BatchNorm1d and LayerNorm, unless said otherwise when they were made

class StackBuilder {
 public:
  StackBuilder(const WeightFile& file, const StackOptions& options, ElementGraph* graph)
      : file_(file), options_(options), graph_(*graph) {}

  void Build() {
    absl::StatusOr<Modules> modules = FindModules(file_);
    if (!modules.ok()) return graph_.Refuse(modules.status().message());
    modules_ = *std::move(modules);
    ReadActivations();
    ChooseCells();
    CheckChoices(options_.head, "--head");
    if (!graph_.status().ok() || !HasCell()) return;
    Value value = AddInput();
    size_t i = 0;
    for (; i < modules_.size() && !IsHead(modules_[i]) && graph_.status().ok(); ++i) value = AddModule(i, value);
    if (i < modules_.size()) value = AddHeads(i, value);
    for (const auto& [name, function] : activations_) {
      if (used_activations_.count(name) == 0)
        graph_.Refuse(absl::StrCat("--activation names ", Quoted(name), "; there is ", Names()));
    }
    NoteUnsaidFunctions();
    graph_.SetOutput(value);
  }

 private:
  std::string Names() const {
    return absl::StrJoin(modules_, ", ", [](std::string* text, const Module& module) { text->append(module.name); });
  }

  // A softmax behind the last module, or a ReLU behind a cell, leaves no trace in the weights.
  void NoteUnsaidFunctions() {
    std::vector<std::string> names;
    for (size_t i = 0; i < modules_.size(); ++i) {
      const Module& module = modules_[i];
      const bool answers =
          module.kind == ModuleKind::kCell || (module.kind == ModuleKind::kDense && !IsEmbedding(module, i));
      if (answers && module.gates() != 1 && activations_.count(module.name) == 0) names.push_back(module.name);
    }
    if (names.empty()) return;
    graph_.Note(absl::StrCat("the file does not say which functions stand behind its modules; none is taken behind ",
                             absl::StrJoin(names, ", "), ": say --activation=", names.back(),
                             "=sigmoid if there is one"));
  }

  bool IsHead(const Module& module) const {
    return std::find(options_.head.begin(), options_.head.end(), module.name) != options_.head.end();
  }

  void ReadActivations() {
    for (const std::string& text : options_.activations) {
      const size_t sign = text.find('=');
      if (sign == std::string::npos) return graph_.Refuse("--activation takes MODULE=FUNCTION, such as fc1=relu");
      activations_[text.substr(0, sign)] = text.substr(sign + 1);
    }
  }

  void CheckChoices(const std::vector<std::string>& names, absl::string_view option) {
    for (const std::string& name : names) {
      const bool found = std::any_of(modules_.begin(), modules_.end(), [&](const Module& m) { return m.name == name; });
      if (!found) graph_.Refuse(absl::StrCat(option, " names ", Quoted(name), "; the file has ", Names()));
    }
  }

  // With --rnn, the named cells in the named order stand where the first cell stood; the others are left out.
  void ChooseCells() {
    CheckChoices(options_.rnn, "--rnn");
    if (options_.rnn.empty() || !graph_.status().ok()) return;
    Modules chosen;
    bool placed = false;
    for (const Module& module : modules_) {
      if (module.kind != ModuleKind::kCell) {
        chosen.push_back(module);
        continue;
      }
      for (const std::string& name : placed ? std::vector<std::string>{} : options_.rnn) {
        chosen.push_back(
            *std::find_if(modules_.begin(), modules_.end(), [&](const Module& m) { return m.name == name; }));
      }
      placed = true;
    }
    modules_ = std::move(chosen);
  }

  bool HasCell() {
    const bool has =
        std::any_of(modules_.begin(), modules_.end(), [](const Module& m) { return m.kind == ModuleKind::kCell; });
    if (!has) graph_.Refuse("the file has no recurrent module (weight_ih_l0, weight_hh_l0 ...)");
    return has;
  }

  bool IsEmbedding(const Module& module, size_t place) const {
    if (module.kind != ModuleKind::kDense || module.Find("bias") != nullptr || place + 1 == modules_.size())
      return false;
    const Array& weight = *module.Find("weight");
    const int64_t next = modules_[place + 1].input_size();
    return weight.shape[1] == next && (options_.tokens || weight.shape[0] != next);
  }

  Value AddInput() {
    size_t first = 0;
    while (first < modules_.size() && modules_[first].kind == ModuleKind::kInitialState) ++first;
    if (IsEmbedding(modules_[first], first)) return graph_.SetTokens(modules_[first].Find("weight")->shape[0]);
    return graph_.SetInput(modules_[first].input_size());
  }

  // The activation that is said to follow the module, or the empty text.
  std::string ActivationAfter(const std::string& name) {
    const auto found = activations_.find(name);
    if (found == activations_.end()) return "";
    used_activations_.insert(name);
    return found->second;
  }

  Value Activated(const std::string& name, Value value) {
    const std::string function = ActivationAfter(name);
    if (function.empty() || function == "linear") return value;
    return AddActivation(&graph_, absl::StrCat(name, "_", function), value, function);
  }

  Value AddModule(size_t place, const Value& in) {
    const Module& module = modules_[place];
    if (module.kind == ModuleKind::kInitialState) return in;
    if (module.kind != ModuleKind::kConvolution && !IsEmbedding(module, place) &&
        module.input_size() != in.frame.size()) {
      graph_.Refuse(
          absl::StrCat("module ", Quoted(module.name), " takes ", module.input_size(), " values, and ", Quoted(in.name),
                       " before it gives ", in.frame.size(),
                       "; --head names what gives the output, --ignore leaves tensors out, --config describes a "
                       "network that is no stack"));
      return {};
    }
    switch (module.kind) {
      case ModuleKind::kCell:
        return AddCells(module, in);
      case ModuleKind::kDense:
        return AddMatrix(place, in);
      case ModuleKind::kVector:
        graph_.Note(absl::StrCat(module.name, ": taken for a LayerNorm with PyTorch's epsilon of 1e-5"));
        return Activated(module.name, AddLayerNorm(&graph_, module.name, in, *module.Find("weight"),
                                                   module.Find("bias") ? *module.Find("bias") : Array{}, kNormEpsilon));
      case ModuleKind::kBatchNorm:
        return Activated(module.name, AddBatchNorm(module, in));
      case ModuleKind::kConvolution:
        graph_.Refuse(absl::StrCat("module ", Quoted(module.name),
                                   " is a convolution, and the file does not say its stride and padding; --config "
                                   "describes the network"));
        return {};
      case ModuleKind::kInitialState:
        return in;
    }
    return in;
  }

  Value AddMatrix(size_t place, const Value& in) {
    const Module& module = modules_[place];
    if (IsEmbedding(module, place)) return AddEmbedding(&graph_, module.name, in, *module.Find("weight"));
    RefuseUnsaidActivation(place);
    const Array* bias = module.Find("bias");
    const Value value = AddDense(&graph_, module.name, in, *module.Find("weight"), bias == nullptr ? Array{} : *bias);
    return Activated(module.name, value);
  }

  // Between two Linear modules stands an activation, or the two would be one. Modules without weights are named in the
  // file's metadata, but not what they are.
  void RefuseUnsaidActivation(size_t place) {
    const Module& module = modules_[place];
    const Module* before = place == 0 ? nullptr : &modules_[place - 1];
    if (before != nullptr && before->kind == ModuleKind::kDense && !IsEmbedding(*before, place - 1) &&
        activations_.count(before->name) == 0) {
      graph_.Refuse(absl::StrCat("the file does not say which activation stands between ", Quoted(before->name),
                                 " and ", Quoted(module.name), "; say --activation=", before->name,
                                 "=relu (or linear)"));
    }
    const std::string parent = module.name.substr(0, module.name.rfind('.') + 1);
    for (const std::string& other : file_.modules) {
      const bool silent =
          !parent.empty() && absl::StartsWith(other, parent) && other != module.name &&
          std::none_of(file_.modules.begin(), file_.modules.end(),
                       [&](const std::string& each) { return absl::StartsWith(each, other + "."); }) &&
          std::none_of(modules_.begin(), modules_.end(), [&](const Module& each) { return each.name == other; });
      if (!silent || other > module.name) continue;
      const std::string place_name = before == nullptr ? module.name : before->name;
      if (activations_.count(place_name) > 0) continue;
      graph_.Refuse(absl::StrCat("the file does not say what ", Quoted(other), " before ", Quoted(module.name),
                                 " is; say --activation=", place_name, "=relu, or =linear if it is a dropout"));
    }
  }

  Value AddBatchNorm(const Module& module, const Value& in) {
    graph_.Note(absl::StrCat(module.name, ": a BatchNorm1d, folded with PyTorch's epsilon of 1e-5"));
    Array scale = *module.Find("running_mean"), shift = scale;
    const Array *mean = module.Find("running_mean"), *variance = module.Find("running_var"),
                *weight = module.Find("weight"), *bias = module.Find("bias");
    for (const Array* each : {variance, weight, bias}) {
      if ((each == nullptr && each == variance) || (each != nullptr && each->size() != mean->size())) {
        graph_.Refuse(absl::StrCat("module ", Quoted(module.name), " has statistics of different sizes"));
        return {};
      }
    }
    for (int64_t i = 0; i < mean->size(); ++i) {
      const double factor = (weight == nullptr ? 1 : weight->values[i]) / std::sqrt(variance->values[i] + kNormEpsilon);
      scale.values[i] = factor;
      shift.values[i] = (bias == nullptr ? 0 : bias->values[i]) - mean->values[i] * factor;
    }
    return AddScale(&graph_, module.name, in, std::move(scale), std::move(shift));
  }

  // The learned state of one layer and direction out of tensors like h0 [layers * directions, 1, units].
  Array InitialState(char letter, int64_t row, int64_t units) {
    for (const Module& module : modules_) {
      if (module.kind != ModuleKind::kInitialState) continue;
      for (const auto& [name, array] : module.tensors) {
        if (name.find(letter) == std::string::npos || (letter == 'h' && name[0] == 'c')) continue;
        if (array->size() < (row + 1) * units || array->size() % units != 0) {
          graph_.Refuse(absl::StrCat("tensor ", Quoted(name), " ", ShapeText(array->shape), " is no state of ", units,
                                     " units a layer; --ignore leaves it out"));
          return {};
        }
        graph_.Note(absl::StrCat(name, ": taken for the state that each session begins with"));
        return Rows(Reshaped(*array, {array->size()}), row * units, (row + 1) * units);
      }
    }
    return {};
  }

  Value AddCells(const Module& module, Value value) {
    for (const auto& [name, array] : module.tensors) {
      if (!absl::StartsWith(name, "weight_hr")) continue;
      graph_.Refuse(absl::StrCat("module ", Quoted(module.name), " is an LSTM with a projection (", name,
                                 ", proj_size); LSTM, GRU and RNN without one are supported"));
      return {};
    }
    const int64_t gates = module.gates();
    if (gates == 0) {
      graph_.Refuse(
          absl::StrCat("module ", Quoted(module.name), " has a weight_hh of no LSTM (4 gates), GRU (3) or RNN (1)"));
      return {};
    }
    const bool single = module.Find("weight_ih") != nullptr;
    const int64_t directions = module.both_directions() ? 2 : 1;
    for (int64_t layer = 0; layer < module.layers(); ++layer) {
      std::vector<Value> parts;
      for (int64_t direction = 0; direction < directions; ++direction) {
        const std::string suffix = single ? "" : absl::StrCat("_l", layer, direction == 1 ? "_reverse" : "");
        parts.push_back(AddLayer(module, suffix, value, layer * directions + direction));
      }
      value = AddConcat(&graph_, absl::StrCat(module.name, "_both_l", layer), parts);
    }
    if (directions == 2) {
      graph_.Note(absl::StrCat(
          module.name,
          ": runs both ways, and gives both states of each timestep; a network that goes on with the state "
          "that each direction ends with (h_n) is described with --config"));
    }
    return gates == 1 ? value : Activated(module.name, value);
  }

  Value AddLayer(const Module& module, const std::string& suffix, const Value& in, int64_t row) {
    const int64_t gates = module.gates();
    Json attributes = Json::object();
    if (gates == 3) attributes = {{"reset", "after"}, {"update", "keep"}};
    if (gates == 1) {
      const std::string function = ActivationAfter(module.name);
      if (function.empty()) {
        graph_.Refuse(absl::StrCat(
            "module ", Quoted(module.name),
            " is an RNN, and the file does not say its activation; say --activation=", module.name, "=tanh or =relu"));
        return {};
      }
      attributes["activation"] = function;
    }
    if (absl::EndsWith(suffix, "_reverse")) attributes["direction"] = "reverse";
    CellWeights weights = LayerWeights(module, suffix);
    const int64_t units = weights.weight_hh.rank() == 2 ? weights.weight_hh.shape[1] : 1;
    weights.initial_h = InitialState('h', row, units);
    if (gates == 4) weights.initial_c = InitialState('c', row, units);
    const std::string name = absl::StrCat(module.name.empty() ? "rnn" : module.name, suffix);
    return AddCell(&graph_, name, gates == 4 ? "lstm" : gates == 3 ? "gru" : "rnn", in, std::move(weights), attributes);
  }

  Value AddHeads(size_t from, const Value& in) {
    std::vector<Value> parts;
    for (size_t i = from; i < modules_.size(); ++i) {
      if (modules_[i].kind == ModuleKind::kInitialState) continue;
      if (!IsHead(modules_[i])) {
        graph_.Refuse(
            absl::StrCat("module ", Quoted(modules_[i].name), " follows the head; --ignore leaves its tensors out"));
        return {};
      }
      if (modules_[i].kind != ModuleKind::kDense) {
        graph_.Refuse(absl::StrCat("--head names ", Quoted(modules_[i].name), ", which is no Linear module"));
        return {};
      }
      const Array* bias = modules_[i].Find("bias");
      parts.push_back(Activated(modules_[i].name, AddDense(&graph_, modules_[i].name, in, *modules_[i].Find("weight"),
                                                           bias == nullptr ? Array{} : *bias)));
    }
    return AddConcat(&graph_, "heads", parts);
  }

  const WeightFile& file_;
  const StackOptions& options_;
  ElementGraph& graph_;
  Modules modules_;
  std::map<std::string, std::string> activations_;
  std::set<std::string> used_activations_;
};

}  // namespace

absl::Status IgnoreTensors(const std::vector<std::string>& globs, WeightFile* file) {
  for (const std::string& glob : globs) {
    const size_t before = file->tensors.size();
    const auto ignored = [&](const NamedTensor& tensor) { return fnmatch(glob.c_str(), tensor.name.c_str(), 0) == 0; };
    file->tensors.erase(std::remove_if(file->tensors.begin(), file->tensors.end(), ignored), file->tensors.end());
    if (file->tensors.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("--ignore=", glob, " matches no tensor of the file"));
    }
  }
  return absl::OkStatus();
}

void BuildStack(const WeightFile& file, const StackOptions& options, ElementGraph* graph) {
  StackBuilder(file, options, graph).Build();
}

}  // namespace rondo::convert
