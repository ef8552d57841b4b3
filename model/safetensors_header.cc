#include "model/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/json/json_text.h"
#include "model/json/object_reader.h"

namespace rondo {
namespace {

using Json = nlohmann::json;
using Need = ObjectReader::Need;

constexpr size_t kMaxRank = 4;
constexpr char kMetadata[] = "__metadata__";

const ObjectReader::Choices<TensorType>& TypeChoices() {
  static const auto& choices = *new ObjectReader::Choices<TensorType>{
      {"F32", TensorType::kF32}, {"F64", TensorType::kF64}, {"F16", TensorType::kF16}, {"BF16", TensorType::kBf16}};
  return choices;
}

void ReadMetadata(const Json& json, std::map<std::string, std::string>* metadata, absl::Status* status) {
  ObjectReader reader(json, kMetadata, status);
  if (!status->ok()) return;
  for (const auto& member : json.items()) reader.Read(member.key(), Need::kRequired, &(*metadata)[member.key()]);
}

// A whole number of the array `key`, whose elements are sizes or offsets.
bool IsCount(const Json& json) {
  return json.is_number_unsigned() &&
         json.get<uint64_t>() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

void ReadShape(ObjectReader& reader, TensorShape* shape) {
  const Json* json = reader.FindArray("shape", Need::kRequired);
  if (json == nullptr) return;
  if (json->size() > kMaxRank) {
    return reader.Refuse(
        absl::StrCat(reader.Where("shape"), " has ", json->size(), " dimensions; at most ", kMaxRank, " are read"));
  }
  for (const Json& dimension : *json) {
    if (!IsCount(dimension)) {
      return reader.Refuse(absl::StrCat(reader.Where("shape"), " must hold whole numbers less than 2^63"));
    }
    shape->dimensions.push_back(dimension.get<int64_t>());
  }
}

// The product of the shape and the item size against the offsets.
void CheckBytes(ObjectReader& reader, uint64_t begin, uint64_t end, TensorInfo* tensor) {
  int64_t bytes = ItemBytes(tensor->type);
  for (const int64_t dimension : tensor->shape.dimensions) {
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) {
      return reader.Refuse(
          absl::StrCat(reader.Where("shape"), " is ", tensor->shape.ToString(), "; its size overflows"));
    }
  }
  if (begin > end || end - begin != static_cast<uint64_t>(bytes)) {
    return reader.Refuse(absl::StrCat(reader.Where("data_offsets"), " are ", begin, " to ", end, "; its shape ",
                                      tensor->shape.ToString(), " wants ", bytes, " bytes"));
  }
  tensor->offset = begin;
  tensor->bytes = static_cast<uint64_t>(bytes);
}

void ReadTensor(const Json& json, TensorInfo* tensor, absl::Status* status) {
  ObjectReader reader(json, absl::StrCat("tensor ", Quoted(tensor->name)), status);
  reader.Read("dtype", Need::kRequired, TypeChoices(), &tensor->type);
  ReadShape(reader, &tensor->shape);
  const Json* offsets = reader.FindArray("data_offsets", Need::kRequired);
  reader.RefuseOthers();
  if (!status->ok()) return;
  if (offsets->size() != 2 || !IsCount((*offsets)[0]) || !IsCount((*offsets)[1])) {
    return reader.Refuse(absl::StrCat(reader.Where("data_offsets"), " must be two whole numbers less than 2^63"));
  }
  CheckBytes(reader, (*offsets)[0].get<uint64_t>(), (*offsets)[1].get<uint64_t>(), tensor);
}

// No hole, no overlap, nothing after the last. REQUIRES: sorted by offset.
absl::Status CheckCover(const std::vector<TensorInfo>& tensors, uint64_t payload_bytes) {
  uint64_t end = 0;
  for (const TensorInfo& tensor : tensors) {
    if (tensor.offset != end) {
      return absl::DataLossError(
          absl::StrCat("tensor ", Quoted(tensor.name), " begins at byte ", tensor.offset,
                       tensor.offset < end ? " and overlaps the one before; " : " and leaves a hole before it; ",
                       "it must begin at ", end));
    }
    end += tensor.bytes;  // no overflow: offset + bytes is an end that was below 2^63
  }
  if (end == payload_bytes) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the tensors end at byte ", end, " after the header; the file has ", payload_bytes, " there"));
}

}  // namespace

int64_t ItemBytes(TensorType type) {
  switch (type) {
    case TensorType::kF64:
      return 8;
    case TensorType::kF32:
      return 4;
    case TensorType::kF16:
    case TensorType::kBf16:
      return 2;
  }
  return 0;
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view json, uint64_t payload_bytes) {
  if (json.empty() || json.front() != '{') return absl::DataLossError("the header does not start with '{'");
  const absl::StatusOr<Json> parsed = ParseJson(json);
  if (!parsed.ok()) return absl::DataLossError(absl::StrCat("the header: ", parsed.status().message()));
  SafetensorsHeader header;
  absl::Status status;
  for (const auto& member : parsed->items()) {
    if (member.key() == kMetadata) {
      ReadMetadata(member.value(), &header.metadata, &status);
    } else {
      header.tensors.emplace_back().name = member.key();
      ReadTensor(member.value(), &header.tensors.back(), &status);
    }
    if (!status.ok()) return absl::DataLossError(absl::StrCat("the header: ", status.message()));
  }
  std::sort(header.tensors.begin(), header.tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::tie(a.offset, a.bytes) < std::tie(b.offset, b.bytes);
  });
  status = CheckCover(header.tensors, payload_bytes);
  if (!status.ok()) return status;
  return header;
}

absl::StatusOr<std::string> SafetensorsHeaderBytes(const std::map<std::string, std::string>& metadata,
                                                   const std::vector<TensorSlot>& tensors) {
  nlohmann::ordered_json json;
  json[kMetadata] = metadata;
  int64_t offset = 0;
  for (const TensorSlot& tensor : tensors) {
    const int64_t end = offset + tensor.shape.size() * ItemBytes(TensorType::kF32);
    json[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape.dimensions}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kMaxSafetensorsHeaderBytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the header would have ", text.size(), " bytes; a reader takes ", kMaxSafetensorsHeaderBytes));
  }
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(text.size() >> (8 * i)));
  return bytes + text;
}

}  // namespace rondo
