#include "model/convert/torch/module.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr int64_t kMaxStackedLayers = 16;

bool IsCellTensor(absl::string_view tensor) {
  for (const absl::string_view begin : {"weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"}) {
    if (absl::StartsWith(tensor, begin)) return true;
  }
  return false;
}

bool IsInitialState(absl::string_view tensor) {
  for (const absl::string_view name :
       {"h0", "c0", "h_0", "c_0", "hx", "cx", "init_h", "init_c", "initial_h", "initial_c"}) {
    if (tensor == name) return true;
  }
  return false;
}

absl::Status Unknown(const Module& module, absl::string_view tensor, const Array& array) {
  return absl::InvalidArgumentError(absl::StrCat(
      "tensor ", Quoted(module.name.empty() ? std::string(tensor) : absl::StrCat(module.name, ".", tensor)), " ",
      ShapeText(array.shape),
      " belongs to no module that is known (LSTM, GRU, RNN and their cells, Linear, Embedding, BatchNorm1d, "
      "LayerNorm); "
      "--ignore leaves it out, --config describes the network"));
}

absl::Status SetKind(Module* module) {
  const std::map<std::string, const Array*>& tensors = module->tensors;
  const Array* weight = module->Find("weight");
  const auto first = tensors.begin();
  if (std::any_of(tensors.begin(), tensors.end(), [](const auto& each) { return IsCellTensor(each.first); })) {
    module->kind = Module::Kind::kCell;
  } else if (tensors.count("running_mean") > 0) {
    module->kind = Module::Kind::kBatchNorm;
  } else if (std::all_of(tensors.begin(), tensors.end(), [](const auto& each) { return IsInitialState(each.first); })) {
    module->kind = Module::Kind::kInitialState;
  } else if (weight == nullptr) {
    return Unknown(*module, first->first, *first->second);
  } else {
    module->kind = weight->rank() == 1   ? Module::Kind::kVector
                   : weight->rank() == 2 ? Module::Kind::kDense
                                         : Module::Kind::kConvolution;
  }
  for (const auto& [name, array] : tensors) {
    const bool known = module->kind == Module::Kind::kCell           ? IsCellTensor(name)
                       : module->kind == Module::Kind::kBatchNorm    ? name != "weight_ih"
                       : module->kind == Module::Kind::kInitialState ? true
                                                                     : name == "weight" || name == "bias";
    if (!known) return Unknown(*module, name, *array);
  }
  return absl::OkStatus();
}

Array Copied(const Array* array) { return array == nullptr ? Array{} : *array; }

}  // namespace

const Array* Module::Find(const std::string& tensor) const {
  const auto found = tensors.find(tensor);
  return found == tensors.end() ? nullptr : found->second;
}

int64_t Module::layers() const {
  int64_t layers = 0;
  while (layers < kMaxStackedLayers && Find(absl::StrCat("weight_ih_l", layers)) != nullptr) ++layers;
  return std::max<int64_t>(layers, Find("weight_ih") != nullptr ? 1 : 0);
}

bool Module::both_directions() const { return Find("weight_ih_l0_reverse") != nullptr; }

int64_t Module::gates() const {
  const Array* recurrent = Find("weight_hh_l0") != nullptr ? Find("weight_hh_l0") : Find("weight_hh");
  if (recurrent == nullptr || recurrent->rank() != 2 || recurrent->shape[1] == 0) return 0;
  const int64_t gates = recurrent->shape[0] / recurrent->shape[1];
  return recurrent->shape[0] % recurrent->shape[1] == 0 && (gates == 4 || gates == 3 || gates == 1) ? gates : 0;
}

int64_t Module::input_size() const {
  if (kind == Kind::kCell) {
    const Array* first = Find("weight_ih_l0") != nullptr ? Find("weight_ih_l0") : Find("weight_ih");
    return first == nullptr || first->rank() != 2 ? 0 : first->shape[1];
  }
  if (kind == Kind::kBatchNorm) return Find("running_mean")->size();
  const Array* weight = Find("weight");
  return weight == nullptr || weight->shape.empty() ? 0 : weight->shape.back();
}

int64_t Module::output_size() const {
  if (kind == Kind::kCell) {
    const Array* recurrent = Find("weight_hh_l0") != nullptr ? Find("weight_hh_l0") : Find("weight_hh");
    const int64_t units = recurrent == nullptr || recurrent->rank() != 2 ? 0 : recurrent->shape[1];
    return both_directions() ? 2 * units : units;
  }
  const Array* weight = Find("weight");
  if (kind == Kind::kDense && weight != nullptr) return weight->shape[0];
  return input_size();
}

absl::StatusOr<std::vector<Module>> FindModules(const WeightFile& file) {
  std::vector<Module> modules;
  for (const NamedTensor& tensor : file.tensors) {
    const size_t dot = tensor.name.rfind('.');
    const std::string name = dot == std::string::npos ? "" : tensor.name.substr(0, dot);
    const std::string last = tensor.name.substr(dot == std::string::npos ? 0 : dot + 1);
    if (last == "num_batches_tracked") continue;
    // States that are learned stand beside the network's modules, so that they are a group of their own.
    const bool state = IsInitialState(last);
    auto module = std::find_if(modules.begin(), modules.end(), [&](const Module& each) {
      return each.name == name && (each.kind == Module::Kind::kInitialState) == state;
    });
    if (module == modules.end()) {
      module =
          modules.insert(modules.end(), Module{name, state ? Module::Kind::kInitialState : Module::Kind::kDense, {}});
    }
    module->tensors[last] = &tensor.array;
  }
  for (Module& module : modules) {
    if (absl::Status status = SetKind(&module); !status.ok()) return status;
  }
  return modules;
}

CellWeights LayerWeights(const Module& module, const std::string& suffix) {
  return {Copied(module.Find("weight_ih" + suffix)),
          Copied(module.Find("weight_hh" + suffix)),
          Copied(module.Find("bias_ih" + suffix)),
          Copied(module.Find("bias_hh" + suffix)),
          {},
          {},
          {}};
}

}  // namespace rondo::convert
