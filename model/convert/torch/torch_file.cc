// ReadTorchFile: from the values of a pickle to tensors by name.

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/archive/number_type.h"
#include "model/convert/archive/zip_archive.h"
#include "model/convert/torch/pickle.h"
#include "model/convert/torch/weight_file.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxDepth = 32;  // of dictionaries and modules inside each other
constexpr size_t kMaxTensors = 65536;
constexpr size_t kMaxRank = 4;

struct StorageType {
  absl::string_view name;
  NumberType type;
};

constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", NumberType::kFloat32}, {"DoubleStorage", NumberType::kFloat64},
    {"HalfStorage", NumberType::kFloat16},  {"BFloat16Storage", NumberType::kBfloat16},
    {"LongStorage", NumberType::kInt64},    {"IntStorage", NumberType::kInt32},
    {"ShortStorage", NumberType::kInt16},   {"CharStorage", NumberType::kInt8},
    {"ByteStorage", NumberType::kUint8},    {"BoolStorage", NumberType::kBool},
    {"QInt8Storage", NumberType::kInt8},    {"QUInt8Storage", NumberType::kUint8}};

absl::Status Refuse(absl::string_view name, absl::string_view rule) {
  return absl::DataLossError(absl::StrCat("tensor ", Quoted(name), " ", rule));
}

std::optional<std::vector<int64_t>> WholeNumbers(const PickleValue& value) {
  if (value.kind != Kind::kTuple && value.kind != Kind::kList) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const PickleValue* item : value.items) {
    if (item->kind != Kind::kWhole) return std::nullopt;
    numbers.push_back(item->whole);
  }
  return numbers;
}

bool IsTensorCall(const PickleValue& value) {
  return value.kind == Kind::kCall &&
         (absl::StartsWith(value.text, "torch._utils._rebuild_") || value.text == "torch.nn.parameter.Parameter");
}

// A tensor call below the wrappers that a parameter has.
const PickleValue& Unwrapped(const PickleValue& value) {
  const PickleValue* inner = &value;
  for (int depth = 0;
       depth < kMaxDepth && !inner->items.empty() && IsTensorCall(*inner) && absl::StrContains(inner->text, "arameter");
       ++depth) {
    inner = inner->items[0];
  }
  return *inner;
}

bool IsTensor(const PickleValue& value) { return IsTensorCall(Unwrapped(value)); }

// What the file says of one tensor.
struct TensorCall {
  std::string storage;
  NumberType type = NumberType::kFloat32;
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
  double scale = 1, zero = 0;  // a quantized tensor's
};

absl::Status ReadStorage(absl::string_view name, const PickleValue& value, TensorCall* call) {
  const PickleValue* id = value.kind == Kind::kPersistent ? value.items[0] : nullptr;
  if (id == nullptr || id->kind != Kind::kTuple || id->items.size() < 3 || id->items[1]->kind != Kind::kName ||
      id->items[2]->kind != Kind::kText) {
    return Refuse(name, "has no storage of the file's own");
  }
  const absl::string_view type_name = id->items[1]->text;
  const auto* type = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes), [&](const StorageType& each) {
    return type_name == absl::StrCat("torch.", each.name);
  });
  if (type == std::end(kStorageTypes))
    return Refuse(name, absl::StrCat("is kept as ", type_name, ", which is not read"));
  call->type = type->type;
  call->storage = id->items[2]->text;
  return absl::OkStatus();
}

absl::Status ReadQuantizer(absl::string_view name, const PickleValue& value, TensorCall* call) {
  const bool fits = value.kind == Kind::kTuple && value.items.size() == 3 &&
                    value.items[0]->text == "torch.per_tensor_affine" && value.items[1]->kind == Kind::kNumber &&
                    value.items[2]->kind == Kind::kWhole;
  if (!fits) return Refuse(name, "is quantized another way than one scale a tensor (torch.per_tensor_affine)");
  call->scale = value.items[1]->number;
  call->zero = static_cast<double>(value.items[2]->whole);
  return absl::OkStatus();
}

absl::StatusOr<TensorCall> ReadCall(absl::string_view name, const PickleValue& value) {
  if (value.items.size() < 4 || value.items[1]->kind != Kind::kWhole) return Refuse(name, "is built in an unknown way");
  TensorCall call;
  if (absl::Status status = ReadStorage(name, *value.items[0], &call); !status.ok()) return status;
  call.offset = value.items[1]->whole;
  const auto shape = WholeNumbers(*value.items[2]), strides = WholeNumbers(*value.items[3]);
  if (!shape.has_value() || !strides.has_value() || shape->size() != strides->size() || shape->size() > kMaxRank) {
    return Refuse(name, absl::StrCat("has no shape of at most ", kMaxRank, " dimensions with a stride each"));
  }
  call.shape = *shape;
  call.strides = *strides;
  if (value.text != "torch._utils._rebuild_qtensor") return call;
  if (value.items.size() < 5) return Refuse(name, "has no quantizer");
  if (absl::Status status = ReadQuantizer(name, *value.items[4], &call); !status.ok()) return status;
  return call;
}

// The number of the storage's last value that the tensor reads, plus one. Nullopt: it is out of bounds.
std::optional<int64_t> EndOf(const TensorCall& call) {
  int64_t end = call.offset;
  if (end < 0) return std::nullopt;
  for (size_t i = 0; i < call.shape.size(); ++i) {
    int64_t reach = 0;
    if (call.strides[i] < 0 || __builtin_mul_overflow(call.shape[i] - 1, call.strides[i], &reach) ||
        __builtin_add_overflow(end, reach, &end)) {
      return std::nullopt;
    }
  }
  return end + 1;
}

absl::StatusOr<Array> ReadTensor(const ZipArchive& archive, absl::string_view folder, absl::string_view name,
                                 const PickleValue& value) {
  const absl::StatusOr<TensorCall> call = ReadCall(name, Unwrapped(value));
  if (!call.ok()) return call.status();
  const std::optional<int64_t> size = SizeOf(call->shape);
  if (!size.has_value()) return Refuse(name, absl::StrCat("has the shape ", ShapeText(call->shape)));
  Array array = Filled(call->shape, 0);
  if (*size == 0) return array;
  const ZipEntry* entry = archive.Find(absl::StrCat(folder, "data/", call->storage));
  if (entry == nullptr) return Refuse(name, "has no values in the file");
  const std::optional<int64_t> end = EndOf(*call);
  const absl::StatusOr<std::string> bytes = archive.Read(*entry);
  if (!bytes.ok()) return bytes.status();
  const std::vector<double> stored = ReadNumbers(call->type, *bytes);
  if (!end.has_value() || *end > static_cast<int64_t>(stored.size())) {
    return Refuse(name, absl::StrCat("of shape ", ShapeText(call->shape), " reaches beyond the ", stored.size(),
                                     " values of its storage"));
  }
  std::vector<int64_t> place(call->shape.size(), 0);
  for (double& target : array.values) {
    int64_t at = call->offset;
    for (size_t i = 0; i < place.size(); ++i) at += place[i] * call->strides[i];
    target = (stored[at] - call->zero) * call->scale;
    for (size_t i = place.size(); i-- > 0 && ++place[i] == call->shape[i];) place[i] = 0;
  }
  return array;
}

// Dictionaries that hold tensors, by the keys that lead to them.
struct Found {
  std::string path;
  const PickleValue* value;
};

// TorchScript's objects and dictionaries alike: what they hold by name.
const PickleValue* Members(const PickleValue& value) {
  if (value.kind == Kind::kDictionary) return &value;
  return value.kind == Kind::kCall && absl::StartsWith(value.text, "__torch__") ? value.attributes : nullptr;
}

void FindStateDicts(const PickleValue& value, const std::string& path, int depth, std::set<const PickleValue*>* seen,
                    std::vector<Found>* found) {
  const PickleValue* members = Members(value);
  // A value may stand in several places, also inside itself.
  if (!seen->insert(&value).second) return;
  if (members == nullptr || members->kind != Kind::kDictionary || depth > kMaxDepth || found->size() > 100) return;
  bool holds = value.kind == Kind::kCall;
  for (size_t i = 1; i < members->items.size(); i += 2) holds |= IsTensor(*members->items[i]);
  if (holds) return found->push_back({path, &value});
  for (size_t i = 0; i + 1 < members->items.size(); i += 2) {
    const std::string& key = members->items[i]->text;
    if (absl::StrContains(key, "optim") || absl::StrContains(key, "sched")) continue;
    FindStateDicts(*members->items[i + 1], path.empty() ? key : absl::StrCat(path, ".", key), depth + 1, seen, found);
  }
}

absl::StatusOr<const PickleValue*> ChooseStateDict(const PickleValue& root, absl::string_view key) {
  std::vector<Found> found;
  std::set<const PickleValue*> seen;
  FindStateDicts(root, "", 0, &seen, &found);
  if (found.empty()) return absl::DataLossError("the file holds no tensors by name; save model.state_dict()");
  std::vector<std::string> paths;
  for (const Found& each : found) {
    if (each.path == key || (found.size() == 1 && key.empty())) return each.value;
    paths.push_back(each.path);
  }
  for (const absl::string_view usual : {"state_dict", "model_state_dict", "model"}) {
    for (const Found& each : found) {
      if (key.empty() && each.path == usual) return each.value;
    }
  }
  return absl::DataLossError(
      absl::StrCat("the file holds tensors under ", absl::StrJoin(paths, ", "), "; say which with --key"));
}

class TensorCollector {
 public:
  TensorCollector(const ZipArchive& archive, std::string folder) : archive_(archive), folder_(std::move(folder)) {}

  absl::Status Collect(const PickleValue& value, const std::string& prefix, int depth, WeightFile* file) {
    const PickleValue* members = Members(value);
    if (members == nullptr || members->kind != Kind::kDictionary || depth > kMaxDepth) return absl::OkStatus();
    if (!seen_.insert(&value).second) return absl::OkStatus();
    for (size_t i = 0; i + 1 < members->items.size(); i += 2) {
      if (members->items[i]->kind != Kind::kText) continue;
      const std::string name = prefix + members->items[i]->text;
      const PickleValue& member = *members->items[i + 1];
      if (!IsTensor(member)) {
        if (absl::Status status = Collect(member, name + ".", depth + 1, file); !status.ok()) return status;
        continue;
      }
      if (file->tensors.size() == kMaxTensors) return Refuse(name, "is one too many");
      absl::StatusOr<Array> array = ReadTensor(archive_, folder_, name, member);
      if (!array.ok()) return array.status();
      values_ += array->size();
      if (values_ > kMaxArrayValues) return Refuse(name, "makes the weights too many");
      file->tensors.push_back({name, *std::move(array)});
    }
    return absl::OkStatus();
  }

 private:
  const ZipArchive& archive_;
  const std::string folder_;
  std::set<const PickleValue*> seen_;
  int64_t values_ = 0;
};

// A state_dict's `_metadata` names every module.
void CollectModules(const PickleValue& value, WeightFile* file) {
  const PickleValue* metadata = value.attributes == nullptr ? nullptr : value.attributes->Find("_metadata");
  if (metadata == nullptr || metadata->kind != Kind::kDictionary) return;
  for (size_t i = 0; i < metadata->items.size(); i += 2) file->modules.push_back(metadata->items[i]->text);
}

}  // namespace

absl::StatusOr<WeightFile> ReadTorchFile(std::string bytes, absl::string_view key) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(std::move(bytes));
  if (!archive.ok()) return archive.status();
  const ZipEntry* entry = archive->FindLast("data.pkl");
  if (entry == nullptr) return absl::DataLossError("the archive has no data.pkl; torch.save writes one");
  const absl::StatusOr<std::string> text = archive->Read(*entry);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Pickle> pickle = Pickle::Parse(*text);
  if (!pickle.ok()) return pickle.status();
  const absl::StatusOr<const PickleValue*> state = ChooseStateDict(pickle->root(), key);
  if (!state.ok()) return state.status();
  WeightFile file;
  CollectModules(**state, &file);
  TensorCollector collector(*archive, entry->name.substr(0, entry->name.size() - std::string("data.pkl").size()));
  if (absl::Status status = collector.Collect(**state, "", 0, &file); !status.ok()) return status;
  return file;
}

}  // namespace rondo::convert
