// Tensors of torch.save's files: where their numbers lie, and the numbers.

#include "model/convert/torch/torch_tensor.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

using Kind = PickleValue::Kind;

constexpr int kMaxTensorDepth = 32;  // of parameters inside each other
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
  for (int depth = 0; depth < kMaxTensorDepth && !inner->items.empty() && IsTensorCall(*inner) &&
                      absl::StrContains(inner->text, "arameter");
       ++depth) {
    inner = inner->items[0];
  }
  return *inner;
}

// What the file says of one tensor.
struct TensorCall {
  TorchStorage storage;
  int64_t offset = 0;
  std::vector<int64_t> shape, strides;
  double scale = 1, zero = 0;  // a quantized tensor's
};

absl::Status ReadQuantizer(absl::string_view name, const PickleValue& value, TensorCall* call) {
  const bool fits = value.kind == Kind::kTuple && value.items.size() == 3 &&
                    value.items[0]->text == "torch.per_tensor_affine" && value.items[1]->kind == Kind::kNumber &&
                    value.items[2]->kind == Kind::kWhole;
  if (!fits) return RefuseTensor(name, "is quantized another way than one scale a tensor (torch.per_tensor_affine)");
  call->scale = value.items[1]->number;
  call->zero = static_cast<double>(value.items[2]->whole);
  return absl::OkStatus();
}

absl::StatusOr<TensorCall> ReadCall(absl::string_view name, const PickleValue& value) {
  if (value.items.size() < 4 || value.items[1]->kind != Kind::kWhole)
    return RefuseTensor(name, "is built in an unknown way");
  TensorCall call;
  absl::StatusOr<TorchStorage> storage = ReadStorage(name, *value.items[0]);
  if (!storage.ok()) return storage.status();
  call.storage = *std::move(storage);
  call.offset = value.items[1]->whole;
  const auto shape = WholeNumbers(*value.items[2]), strides = WholeNumbers(*value.items[3]);
  if (!shape.has_value() || !strides.has_value() || shape->size() != strides->size() || shape->size() > kMaxRank) {
    return RefuseTensor(name, absl::StrCat("has no shape of at most ", kMaxRank, " dimensions with a stride each"));
  }
  call.shape = *shape;
  call.strides = *strides;
  if (value.text != "torch._utils._rebuild_qtensor") return call;
  if (value.items.size() < 5) return RefuseTensor(name, "has no quantizer");
  if (absl::Status status = ReadQuantizer(name, *value.items[4], &call); !status.ok()) return status;
  return call;
}

// The place in the storage of the last value that the tensor reads. Nullopt: it is out of bounds.
std::optional<int64_t> LastOf(const TensorCall& call) {
  int64_t last = call.offset;
  if (last < 0) return std::nullopt;
  for (size_t i = 0; i < call.shape.size(); ++i) {
    int64_t reach = 0;
    if (call.strides[i] < 0 || __builtin_mul_overflow(call.shape[i] - 1, call.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return std::nullopt;
    }
  }
  return last;
}

}  // namespace

absl::Status RefuseTensor(absl::string_view name, absl::string_view rule) {
  return absl::DataLossError(absl::StrCat("tensor ", Quoted(name), " ", rule));
}

absl::StatusOr<TorchStorage> ReadStorage(absl::string_view name, const PickleValue& value) {
  const PickleValue* id = value.kind == Kind::kPersistent ? value.items[0] : nullptr;
  if (id == nullptr || id->kind != Kind::kTuple || id->items.size() < 3 || id->items[1]->kind != Kind::kName ||
      id->items[2]->kind != Kind::kText) {
    return RefuseTensor(name, "has no storage of the file's own");
  }
  const bool is_part = id->items.size() > 5 && id->items[5]->kind != Kind::kNone;
  if (is_part) return RefuseTensor(name, "has a storage that is a part of another one, as PyTorch before 0.4 wrote it");
  const absl::string_view type_name = id->items[1]->text;
  const auto* type = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes), [&](const StorageType& each) {
    return type_name == absl::StrCat("torch.", each.name);
  });
  if (type == std::end(kStorageTypes))
    return RefuseTensor(name, absl::StrCat("is kept as ", type_name, ", which is not read"));
  return TorchStorage{id->items[2]->text, type->type};
}

bool IsTensor(const PickleValue& value) { return IsTensorCall(Unwrapped(value)); }

absl::StatusOr<Array> ReadTensor(const StorageBytes& storages, absl::string_view name, const PickleValue& value) {
  const absl::StatusOr<TensorCall> call = ReadCall(name, Unwrapped(value));
  if (!call.ok()) return call.status();
  const std::optional<int64_t> size = SizeOf(call->shape);
  if (!size.has_value()) return RefuseTensor(name, absl::StrCat("has the shape ", ShapeText(call->shape)));
  Array array = Filled(call->shape, 0);
  if (*size == 0) return array;
  const std::optional<int64_t> last = LastOf(*call);
  const absl::StatusOr<std::string> bytes = storages(call->storage.key);
  if (absl::IsNotFound(bytes.status())) return RefuseTensor(name, "has no values in the file");
  if (!bytes.ok()) return bytes.status();
  const std::vector<double> stored = ReadNumbers(call->storage.type, *bytes);
  if (!last.has_value() || *last >= static_cast<int64_t>(stored.size())) {
    return RefuseTensor(name, absl::StrCat("of shape ", ShapeText(call->shape), " reaches beyond the ", stored.size(),
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

}  // namespace rondo::convert
