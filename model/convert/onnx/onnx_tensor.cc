#include "model/convert/onnx/onnx_tensor.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/convert/archive/number_type.h"
#include "model/convert/onnx/wire_reader.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

struct Tensor {
  std::string name;
  std::vector<int64_t> shape, wholes;
  std::vector<float> floats;
  absl::string_view raw, doubles;
  ExternalPlace place;
  int64_t type = 0;
  bool has_raw = false;
  bool elsewhere = false;  // the values lie in another file, at `place`
};

// TensorProto.DataType.
std::optional<NumberType> TypeOf(int64_t type) {
  switch (type) {
    case 1:
      return NumberType::kFloat32;
    case 2:
      return NumberType::kUint8;
    case 3:
      return NumberType::kInt8;
    case 5:
      return NumberType::kInt16;
    case 6:
      return NumberType::kInt32;
    case 7:
      return NumberType::kInt64;
    case 9:
      return NumberType::kBool;
    case 10:
      return NumberType::kFloat16;
    case 11:
      return NumberType::kFloat64;
    case 16:
      return NumberType::kBfloat16;
    default:
      return std::nullopt;
  }
}

bool IsFloat(NumberType type) {
  return type == NumberType::kFloat16 || type == NumberType::kBfloat16 || type == NumberType::kFloat32 ||
         type == NumberType::kFloat64;
}

std::string Named(const Tensor& tensor) { return absl::StrCat("tensor ", Quoted(tensor.name)); }

absl::Status Damaged(const Tensor& tensor, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the ONNX file is damaged: ", Named(tensor), what));
}

absl::StatusOr<std::string> ReadElsewhere(const Tensor& tensor, NumberType type, int64_t size, ExternalFiles* files) {
  const std::string named = absl::StrCat(Named(tensor), " has its values in another file");
  if (files == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(named, ", which is not read here; onnx.save with save_as_external_data=False puts them in"));
  }
  const bool also_here =
      !tensor.raw.empty() || !tensor.floats.empty() || !tensor.doubles.empty() || !tensor.wholes.empty();
  if (also_here) return Damaged(tensor, " has values in it and says that they are in another file");
  absl::StatusOr<std::string> bytes = files->Read(tensor.place, type, size);
  if (bytes.ok()) return bytes;
  return absl::Status(bytes.status().code(), absl::StrCat(named, ", ", bytes.status().message()));
}

// The values that stand one by one, not as raw bytes.
absl::StatusOr<std::vector<double>> ListedValues(const Tensor& tensor, NumberType type) {
  if (type == NumberType::kFloat64) return ReadNumbers(type, tensor.doubles);
  if (type == NumberType::kFloat32) return std::vector<double>(tensor.floats.begin(), tensor.floats.end());
  if (IsFloat(type)) {
    return absl::InvalidArgumentError(absl::StrCat(Named(tensor), " keeps 16-bit floats one by one; raw_data is read"));
  }
  return std::vector<double>(tensor.wholes.begin(), tensor.wholes.end());
}

absl::StatusOr<Array> ToArray(Tensor tensor, ExternalFiles* files) {
  const std::optional<NumberType> type = TypeOf(tensor.type);
  if (!type.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(Named(tensor), " has numbers of the type ", tensor.type,
                                                   "; float, double, float16, bfloat16, int8 to int64, uint8 and bool "
                                                   "are read"));
  }
  const std::optional<int64_t> size = tensor.shape.size() > kMaxOnnxRank ? std::nullopt : SizeOf(tensor.shape);
  if (!size.has_value()) {
    return Damaged(tensor, " has a shape with a negative or too large size, or of too many dimensions");
  }
  std::string read;  // outlives tensor.raw
  if (tensor.elsewhere) {
    absl::StatusOr<std::string> bytes = ReadElsewhere(tensor, *type, *size, files);
    if (!bytes.ok()) return bytes.status();
    read = *std::move(bytes);
    tensor.raw = read;
    tensor.has_raw = true;
  }
  const int64_t wanted = *size * BytesOf(*type);
  if (tensor.has_raw && static_cast<int64_t>(tensor.raw.size()) != wanted) {
    return Damaged(tensor, absl::StrCat(" has ", tensor.raw.size(), " bytes; its shape ", ShapeText(tensor.shape),
                                        " wants ", wanted));
  }
  absl::StatusOr<std::vector<double>> values =
      tensor.has_raw ? ReadNumbers(*type, tensor.raw) : ListedValues(tensor, *type);
  if (!values.ok()) return values.status();
  Array array{std::move(tensor.shape), *std::move(values), !IsFloat(*type)};
  if (array.size() == *size) return array;
  return Damaged(tensor,
                 absl::StrCat(" has ", array.size(), " values; its shape ", ShapeText(array.shape), " wants ", *size));
}

// StringStringEntryProto.
bool ParsePlace(absl::string_view bytes, ExternalPlace* place) {
  absl::string_view key, text;
  WireReader entry(bytes);
  while (entry.Next()) {
    if (entry.number() == 1) key = entry.bytes();
    if (entry.number() == 2) text = entry.bytes();
  }
  (*place)[key] = text;
  return !entry.damaged();
}

absl::StatusOr<Tensor> ParseTensor(absl::string_view bytes) {
  Tensor tensor;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.number()) {
      case 1:
        reader.AppendWholes(&tensor.shape);
        break;
      case 2:
        tensor.type = reader.whole();
        break;
      case 4:
        reader.AppendFloats(&tensor.floats);
        break;
      case 5:
      case 7:
        reader.AppendWholes(&tensor.wholes);
        break;
      case 8:
        tensor.name = std::string(reader.bytes());
        break;
      case 9:
        tensor.raw = reader.bytes();
        tensor.has_raw = true;
        break;
      case 10:
        tensor.doubles = reader.bytes();
        break;
      case 13:
        if (!ParsePlace(reader.bytes(), &tensor.place))
          return Damaged(tensor, " has external_data that ends too early");
        break;
      case 14:
        tensor.elsewhere = reader.whole() == 1;
        break;
      default:
        break;
    }
  }
  if (reader.damaged()) return Damaged(tensor, "");
  return tensor;
}

}  // namespace

absl::StatusOr<OnnxTensor> ParseOnnxTensor(absl::string_view bytes, ExternalFiles* files) {
  absl::StatusOr<Tensor> tensor = ParseTensor(bytes);
  if (!tensor.ok()) return tensor.status();
  OnnxTensor named{tensor->name, {}};
  absl::StatusOr<Array> array = ToArray(*std::move(tensor), files);
  if (!array.ok()) return array.status();
  named.array = *std::move(array);
  return named;
}

}  // namespace rondo::convert
