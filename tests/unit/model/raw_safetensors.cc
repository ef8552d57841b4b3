#include "tests/unit/model/raw_safetensors.h"

#include <fstream>
#include <iterator>

namespace rondo {

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

RawTensor Floats(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dimension : shape) count *= dimension;
  RawTensor tensor = {name, "F32", shape, ""};
  for (int64_t i = 0; i < count; ++i) {
    const float value = 0.001f * static_cast<float>(i + 1);
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    tensor.bytes.append(bytes, sizeof(bytes));
  }
  return tensor;
}

std::string RawFile(const std::string& json, const std::string& payload) {
  std::string length;
  for (int i = 0; i < 8; ++i) length.push_back(static_cast<char>(json.size() >> (8 * i)));
  return length + json + payload;
}

std::string RawFile(const std::string& metadata, const std::vector<RawTensor>& tensors) {
  std::vector<std::string> members;
  if (!metadata.empty()) members.push_back("\"__metadata__\":" + metadata);
  std::string payload;
  for (const RawTensor& tensor : tensors) {
    members.push_back(absl::StrCat("\"", tensor.name, "\":{\"dtype\":\"", tensor.type, "\",\"shape\":[",
                                   absl::StrJoin(tensor.shape, ","), "],\"data_offsets\":[", payload.size(), ",",
                                   payload.size() + tensor.bytes.size(), "]}"));
    payload += tensor.bytes;
  }
  return RawFile("{" + absl::StrJoin(members, ",") + "}", payload);
}

}  // namespace rondo
