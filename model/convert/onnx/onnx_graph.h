#ifndef RONDO_MODEL_CONVERT_ONNX_ONNX_GRAPH_H_
#define RONDO_MODEL_CONVERT_ONNX_ONNX_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"
#include "model/convert/onnx/external_files.h"
#include "model/convert/onnx/onnx_tensor.h"

namespace rondo::convert {

struct OnnxGraph;

struct OnnxAttribute {
  int64_t whole = 0;
  float number = 0;
  std::string text;
  std::vector<int64_t> wholes;
  std::vector<float> numbers;
  std::vector<std::string> texts;
  std::shared_ptr<const Array> tensor;     // null: none
  std::shared_ptr<const OnnxGraph> graph;  // null: none
};

struct OnnxNode {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  // an empty name: left out
  std::map<std::string, OnnxAttribute> attributes;

  std::string Described() const;  // "node 'lstm_4' (LSTM)"
};

struct OnnxDimension {
  std::string name;   // of an open one
  int64_t size = -1;  // -1: open
};

struct OnnxValue {
  std::string name;
  bool whole = false;  // the values are whole numbers or truth values
  bool has_shape = false;
  std::vector<OnnxDimension> shape;
};

struct OnnxGraph {
  std::vector<OnnxNode> nodes;
  std::map<std::string, Array> initializers;
  std::vector<OnnxValue> inputs, outputs;  // inputs without those that are initializers
};

struct OnnxModel {
  OnnxGraph graph;
  int64_t opset = 0;
  std::map<std::string, std::string> metadata;
};

// Reads a ModelProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). The bytes are hostile: nothing is
// allocated that is announced but not there. Values in other files are read from `files`; null: they are refused.
// DATA_LOSS names the tensor or node that is wrong, INVALID_ARGUMENT what is not supported (sparse tensors, functions).
absl::StatusOr<OnnxModel> ParseOnnxModel(absl::string_view bytes, ExternalFiles* files = nullptr);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ONNX_GRAPH_H_
