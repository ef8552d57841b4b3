#ifndef RONDO_MODEL_SAFETENSORS_H_
#define RONDO_MODEL_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/files.h"
#include "model/safetensors_header.h"
#include "model/weights.h"

namespace rondo {

// An open safetensors file whose header has passed every check; its tensors are read one by one, on demand.
// Move-only. Threads: const methods from any.
class SafetensorsReader {
 public:
  // Reads the header only. Errors as ReadableFile::Open; DATA_LOSS: which rule of the format is broken.
  static absl::StatusOr<SafetensorsReader> Open(const std::string& path);

  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  const std::vector<TensorInfo>& tensors() const { return header_.tensors; }
  const ReadableFile& file() const { return file_; }

  // The tensor's values, row-major. DATA_LOSS: a value is not finite in float32 (its index is named), or the file has
  // become shorter. RESOURCE_EXHAUSTED: no memory. Allocates shape.size() floats: judge the shape first.
  absl::StatusOr<std::vector<float>> Read(const TensorInfo& tensor) const;

 private:
  SafetensorsReader(ReadableFile file, SafetensorsHeader header, uint64_t payload_offset)
      : file_(std::move(file)), header_(std::move(header)), payload_offset_(payload_offset) {}

  ReadableFile file_;
  SafetensorsHeader header_;
  uint64_t payload_offset_;
};

// Writes the tensors as F32, atomically. REQUIRES: each slot has shape.size() values. Errors as WriteFileAtomically and
// SafetensorsHeaderBytes.
absl::Status WriteSafetensors(const std::map<std::string, std::string>& metadata,
                              const std::vector<TensorSlot>& tensors, const std::string& path);

}  // namespace rondo

#endif  // RONDO_MODEL_SAFETENSORS_H_
