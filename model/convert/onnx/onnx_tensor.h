#ifndef RONDO_MODEL_CONVERT_ONNX_ONNX_TENSOR_H_
#define RONDO_MODEL_CONVERT_ONNX_ONNX_TENSOR_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"
#include "model/convert/onnx/external_files.h"

namespace rondo::convert {

constexpr size_t kMaxOnnxRank = 8;  // most dimensions of a tensor

struct OnnxTensor {
  std::string name;
  Array array;
};

// Reads a TensorProto, whose values may lie in one of `files`; null: it is refused then. The bytes are hostile.
// DATA_LOSS names the tensor and what is wrong with it, INVALID_ARGUMENT what is not supported.
absl::StatusOr<OnnxTensor> ParseOnnxTensor(absl::string_view bytes, ExternalFiles* files);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ONNX_TENSOR_H_
