#include "model/model_file.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/finite.h"
#include "model/described_model.h"
#include "model/json/json_text.h"
#include "model/safetensors.h"
#include "model/spec_json.h"
#include "model/tensor_names.h"

namespace rondo {
namespace {

constexpr char kMetadataKey[] = "rondo";

absl::Status Refuse(absl::string_view what, const absl::Status& cause) {
  return absl::DataLossError(absl::StrCat(what, cause.message()));
}

std::string SidecarPath(absl::string_view path) {
  absl::ConsumeSuffix(&path, ".safetensors");
  return absl::StrCat(path, ".json");
}

// `description`: what NAME.json is; empty: there is none.
absl::StatusOr<ModelSpec> ReadSpec(const SafetensorsReader& reader, const std::string& description) {
  const auto in_file = reader.metadata().find(kMetadataKey);
  if (in_file != reader.metadata().end()) {
    absl::StatusOr<ModelSpec> spec = ParseSpecJson(in_file->second);
    return spec.ok() ? spec : Refuse("__metadata__.rondo: ", spec.status());
  }
  absl::StatusOr<std::string> text = absl::NotFoundError("");
  if (!description.empty()) text = ReadSmallFile(description, kMaxJsonBytes);
  if (absl::IsNotFound(text.status())) {
    return absl::DataLossError("no description: neither a key 'rondo' in __metadata__ nor a NAME.json beside the file");
  }
  if (!text.ok()) return Refuse("NAME.json: ", text.status());
  absl::StatusOr<ModelSpec> spec = ParseSpecJson(*text);
  return spec.ok() ? spec : Refuse("NAME.json: ", spec.status());
}

// A tensor of two dimensions, of which the second is a size of the model.
absl::StatusOr<int64_t> SecondDimension(const TensorNames& names, const std::string& slot) {
  const auto found = names.by_slot.find(slot);
  if (found == names.by_slot.end()) {
    return absl::DataLossError(absl::StrCat("tensor ", Quoted(names.NameInFile(slot)), " is missing"));
  }
  const TensorInfo& tensor = *found->second;
  if (tensor.shape.dimensions.size() == 2) return tensor.shape.dimensions[1];
  return absl::DataLossError(
      absl::StrCat("tensor ", Quoted(tensor.name), " is ", tensor.shape.ToString(), "; it must have two dimensions"));
}

// Takes the sizes that the JSON leaves to the tensors.
absl::Status TakeSizes(const TensorNames& names, ModelSpec* spec) {
  if (spec->graph != nullptr) {
    if (absl::Status status = spec->Validate(); !status.ok()) return Refuse("", status);
    return absl::OkStatus();
  }
  spec->num_layers = names.num_layers;
  const absl::StatusOr<int64_t> hidden_size = SecondDimension(names, "rnn.weight_hh_l0");
  if (!hidden_size.ok()) return hidden_size.status();
  spec->hidden_size = *hidden_size;
  if (spec->tokens > 0) {
    const absl::StatusOr<int64_t> embedding_size = SecondDimension(names, "embedding.weight");
    if (!embedding_size.ok()) return embedding_size.status();
    spec->embedding_size = *embedding_size;
  }
  if (absl::Status status = spec->Validate(); !status.ok()) return Refuse("", status);
  return absl::OkStatus();
}

// "rnn" or the element: what stands before the slot's own name.
absl::string_view GroupOf(const TensorSlot& slot) {
  return absl::string_view(slot.name).substr(0, slot.name.rfind('.'));
}

// The groups of which a tensor is there that may be absent. nn.LSTM(..., bias=False) has none of the recurrent biases;
// they are zero then. Some of them is a broken file.
std::set<absl::string_view> GroupsWithBias(const TensorNames& names, const std::vector<TensorSlot>& slots) {
  std::set<absl::string_view> groups;
  for (const TensorSlot& slot : slots) {
    if (slot.may_be_absent && names.by_slot.count(slot.name) > 0) groups.insert(GroupOf(slot));
  }
  return groups;
}

std::string SizesOf(const ModelSpec& spec) {
  if (spec.graph != nullptr) return "the graph";
  return absl::StrCat("cell ", CellName(spec.cell), " with hidden_size ", spec.hidden_size, ", ", spec.feature_size(),
                      " features and ", spec.output_size(), " output values");
}

absl::Status CheckShapes(const TensorNames& names, const ModelSpec& spec, const std::vector<TensorSlot>& slots) {
  const std::set<absl::string_view> with_bias = GroupsWithBias(names, slots);
  for (const TensorSlot& slot : slots) {
    const auto found = names.by_slot.find(slot.name);
    if (found == names.by_slot.end()) {
      if (slot.may_be_absent && with_bias.count(GroupOf(slot)) == 0) continue;
      return absl::DataLossError(absl::StrCat("tensor ", Quoted(names.NameInFile(slot.name)), " is missing"));
    }
    const TensorShape& shape = found->second->shape;
    if (shape.dimensions != slot.shape.dimensions) {
      return absl::DataLossError(absl::StrCat("tensor ", Quoted(found->second->name), " is ", shape.ToString(), "; ",
                                              SizesOf(spec), " takes ", slot.shape.ToString()));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadTensors(const SafetensorsReader& reader, const TensorNames& names,
                         const std::vector<TensorSlot>& slots) {
  for (const TensorSlot& slot : slots) {
    const auto found = names.by_slot.find(slot.name);
    if (found == names.by_slot.end()) {  // a bias that bias=False left out
      slot.values->assign(slot.shape.size(), 0.0f);
      continue;
    }
    absl::StatusOr<std::vector<float>> values = reader.Read(*found->second);
    if (!values.ok()) return values.status();
    *slot.values = *std::move(values);
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(const std::vector<TensorSlot>& slots) {
  for (const TensorSlot& slot : slots) {
    if (!AllFinite(*slot.values)) {
      return absl::InvalidArgumentError(absl::StrCat("'", slot.name, "' has a value that is not finite"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelFile> ReadModelFile(const std::string& path) { return ReadModelFile(path, SidecarPath(path)); }

absl::StatusOr<ModelFile> ReadModelFile(const std::string& path, const std::string& description) {
  const absl::StatusOr<SafetensorsReader> reader = SafetensorsReader::Open(path);
  if (!reader.ok()) return reader.status();
  absl::StatusOr<ModelSpec> spec = ReadSpec(*reader, description);
  if (!spec.ok()) return spec.status();
  const absl::StatusOr<TensorNames> names = spec->graph != nullptr
                                                ? MatchGraphTensors(reader->tensors(), *spec->graph)
                                                : MatchTensorNames(reader->tensors(), spec->tokens > 0);
  if (!names.ok()) return names.status();
  ModelFile model;
  model.spec = *std::move(spec);
  if (absl::Status status = TakeSizes(*names, &model.spec); !status.ok()) return status;
  const std::vector<TensorSlot> slots = TensorSlots(model.spec, &model.weights);
  if (absl::Status status = CheckShapes(*names, model.spec, slots); !status.ok()) return status;
  // Memory is spent from here on, but no more than the file, which is really there, holds.
  if (absl::Status status = reader->file().CheckDense(); !status.ok()) return status;
  if (absl::Status status = ReadTensors(*reader, *names, slots); !status.ok()) return status;
  if (absl::Status status = reader->file().CheckUnchanged(); !status.ok()) return status;
  if (absl::Status status = CheckWeights(model.spec, model.weights); !status.ok()) return Refuse("", status);
  return model;
}

absl::Status WriteModelFile(const ModelFile& model, const std::string& path) {
  if (absl::Status status = model.spec.Validate(); !status.ok()) return status;
  if (absl::Status status = CheckWeights(model.spec, model.weights); !status.ok()) return status;
  const std::vector<TensorSlot> slots = TensorSlots(model.spec, const_cast<Weights*>(&model.weights));
  if (absl::Status status = CheckFinite(slots); !status.ok()) return status;
  // "format" is what safetensors' own PyTorch loader looks for.
  return WriteSafetensors({{"format", "pt"}, {kMetadataKey, SpecJson(model.spec)}}, slots, path);
}

}  // namespace rondo
