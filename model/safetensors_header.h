#ifndef RONDO_MODEL_SAFETENSORS_HEADER_H_
#define RONDO_MODEL_SAFETENSORS_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/weights.h"

namespace rondo {

// The header of a safetensors file (https://github.com/huggingface/safetensors): an 8-byte little-endian length N, N
// bytes of JSON, then the tensors' bytes, which the JSON's offsets count from.

constexpr size_t kMaxSafetensorsHeaderBytes = size_t{1} << 20;

enum class TensorType { kF32, kF64, kF16, kBf16 };

int64_t ItemBytes(TensorType type);

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::kF32;
  TensorShape shape;    // at most 4 dimensions
  uint64_t offset = 0;  // of its first byte, from the start of the tensors' bytes
  uint64_t bytes = 0;   // shape.size() * ItemBytes(type)
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorInfo> tensors;  // by offset; they cover the tensors' bytes without hole or overlap
};

// Checks every rule of the format: `json` are the N bytes, `payload_bytes` is what really follows them in the file.
// DATA_LOSS names the rule and the tensor.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view json, uint64_t payload_bytes);

// The header of a file with these F32 tensors in this order, its length included, padded to a multiple of 8 bytes.
// RESOURCE_EXHAUSTED: longer than kMaxSafetensorsHeaderBytes.
absl::StatusOr<std::string> SafetensorsHeaderBytes(const std::map<std::string, std::string>& metadata,
                                                   const std::vector<TensorSlot>& tensors);

}  // namespace rondo

#endif  // RONDO_MODEL_SAFETENSORS_HEADER_H_
