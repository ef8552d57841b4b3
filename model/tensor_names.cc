#include "model/tensor_names.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "model/json/json_text.h"

namespace rondo {
namespace {

constexpr absl::string_view kRecurrentSlot = "rnn.";

template <typename... Parts>
absl::Status RefuseNames(const Parts&... parts) {
  return absl::DataLossError(absl::StrCat(parts...));
}

// A module of PyTorch's: nn.Linear or nn.Embedding.
struct Module {
  const TensorInfo* weight = nullptr;
  const TensorInfo* bias = nullptr;
};
using Modules = std::map<std::string, Module>;  // by "X"

// Tells whether `leaf` is a recurrent layer's name, and takes it apart: its kind ("weight_ih") and layer index.
bool ParseRecurrent(absl::string_view leaf, absl::string_view* kind, int32_t* layer) {
  for (const absl::string_view known : {"weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"}) {
    absl::string_view digits = leaf;
    if (!absl::ConsumePrefix(&digits, known) || !absl::ConsumePrefix(&digits, "_l")) continue;
    *kind = known;
    absl::ConsumeSuffix(&digits, "_reverse");
    // Compared as text too: "l00" and "l+0" are no names of PyTorch's.
    return absl::SimpleAtoi(digits, layer) && absl::StrCat(*layer) == digits && *layer >= 0;
  }
  return false;
}

absl::Status AddRecurrent(const TensorInfo& tensor, absl::string_view prefix, absl::string_view kind, int32_t layer,
                          TensorNames* names) {
  if (absl::EndsWith(tensor.name, "_reverse")) {
    return RefuseNames("tensor ", Quoted(tensor.name),
                       " is a backward layer; bidirectional networks are not supported");
  }
  if (kind == "weight_hr") {
    return RefuseNames("tensor ", Quoted(tensor.name), " is a projection; an lstm with proj_size is not supported");
  }
  if (names->num_layers == 0) names->recurrent_prefix = std::string(prefix);
  if (names->recurrent_prefix != prefix) {
    return RefuseNames("two recurrent networks: ", Quoted(names->recurrent_prefix), " and ", Quoted(prefix),
                       "; a model has one");
  }
  names->num_layers = std::max<int64_t>(names->num_layers, int64_t{layer} + 1);
  names->by_slot[absl::StrCat(kRecurrentSlot, kind, "_l", layer)] = &tensor;
  return absl::OkStatus();
}

absl::Status AddToModule(const TensorInfo& tensor, absl::string_view module, absl::string_view leaf, Modules* modules) {
  if (leaf == "weight") {
    (*modules)[std::string(module)].weight = &tensor;
  } else if (leaf == "bias") {
    (*modules)[std::string(module)].bias = &tensor;
  } else {
    return RefuseNames("tensor ", Quoted(tensor.name),
                       " is no part of a model; it takes recurrent layers, a head and, for ", "tokens, an embedding");
  }
  return absl::OkStatus();
}

absl::Status PlaceModules(const Modules& modules, bool is_token_model, TensorNames* names) {
  const std::string *head = nullptr, *lone = nullptr;
  for (const auto& [name, module] : modules) {
    if (module.weight == nullptr)
      return RefuseNames("tensor ", Quoted(name + ".weight"), " is missing beside its bias");
    const std::string*& place = module.bias != nullptr ? head : lone;
    if (place != nullptr) {
      return RefuseNames(
          "tensors ", Quoted(*place + ".weight"), " and ", Quoted(name + ".weight"), " are two ",
          module.bias != nullptr ? "heads; a model has one" : "weights without a bias; only an embedding has none");
    }
    place = &name;
  }
  if (head == nullptr && lone != nullptr && !is_token_model) {
    return RefuseNames("tensor ", Quoted(*lone + ".bias"), " is missing; a head has a weight and a bias");
  }
  if (head == nullptr) return RefuseNames("tensor 'head.weight' is missing; a head has a weight and a bias");
  if (is_token_model && lone == nullptr)
    return RefuseNames("tensor 'embedding.weight' is missing; a token model has one");
  if (!is_token_model && lone != nullptr) {
    return RefuseNames("tensor ", Quoted(*lone + ".weight"), " is extra; only a token model has an embedding");
  }
  names->by_slot["head.weight"] = modules.at(*head).weight;
  names->by_slot["head.bias"] = modules.at(*head).bias;
  if (lone != nullptr) names->by_slot["embedding.weight"] = modules.at(*lone).weight;
  return absl::OkStatus();
}

}  // namespace

std::string TensorNames::NameInFile(const std::string& slot) const {
  if (const auto found = by_slot.find(slot); found != by_slot.end()) return found->second->name;
  absl::string_view leaf = slot;
  return absl::ConsumePrefix(&leaf, kRecurrentSlot) ? absl::StrCat(recurrent_prefix, leaf) : slot;
}

absl::StatusOr<TensorNames> MatchTensorNames(const std::vector<TensorInfo>& tensors, bool is_token_model) {
  TensorNames names;
  Modules modules;
  for (const TensorInfo& tensor : tensors) {
    const size_t dot = tensor.name.rfind('.');
    const size_t leaf_at = dot == std::string::npos ? 0 : dot + 1;
    const absl::string_view leaf = absl::string_view(tensor.name).substr(leaf_at);
    absl::string_view kind;
    int32_t layer = 0;
    absl::Status status;
    if (ParseRecurrent(leaf, &kind, &layer)) {
      status = AddRecurrent(tensor, absl::string_view(tensor.name).substr(0, leaf_at), kind, layer, &names);
    } else {
      const absl::string_view module = absl::string_view(tensor.name).substr(0, leaf_at == 0 ? 0 : dot);
      status = AddToModule(tensor, module, leaf_at == 0 ? "" : leaf, &modules);
    }
    if (!status.ok()) return status;
  }
  if (names.num_layers == 0) return RefuseNames("tensor 'rnn.weight_ih_l0' is missing; a model has a recurrent layer");
  if (absl::Status status = PlaceModules(modules, is_token_model, &names); !status.ok()) return status;
  return names;
}

absl::StatusOr<TensorNames> MatchGraphTensors(const std::vector<TensorInfo>& tensors, const Graph& graph) {
  std::set<std::string> taken;
  for (const GraphNode& node : graph.nodes()) {
    for (const ElementSlot& slot : node.element->slots()) taken.insert(absl::StrCat(node.name, ".", slot.name));
  }
  TensorNames names;
  for (const TensorInfo& tensor : tensors) {
    if (taken.count(tensor.name) == 0)
      return RefuseNames("tensor ", Quoted(tensor.name), " is extra; no element takes it");
    names.by_slot[tensor.name] = &tensor;
  }
  return names;
}

}  // namespace rondo
