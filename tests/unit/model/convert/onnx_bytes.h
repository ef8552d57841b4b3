#ifndef RONDO_TESTS_UNIT_MODEL_CONVERT_ONNX_BYTES_H_
#define RONDO_TESTS_UNIT_MODEL_CONVERT_ONNX_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/onnx/external_files.h"
#include "model/convert/onnx/onnx_network.h"

namespace rondo::convert {

using Names = std::vector<std::string>;
using Sizes = std::vector<int64_t>;

// The bytes of one AttributeProto.
std::string WholeAttribute(absl::string_view name, int64_t value);
std::string NumberAttribute(absl::string_view name, float value);
std::string NumbersAttribute(absl::string_view name, const std::vector<float>& values);
std::string TextAttribute(absl::string_view name, absl::string_view value);
std::string TextsAttribute(absl::string_view name, const Names& values);
std::string GraphAttribute(absl::string_view name, absl::string_view graph);

// The bytes of one TensorProto: floats, whole numbers, or whatever `raw` is said to be.
std::string FloatTensor(absl::string_view name, const Sizes& shape, const std::vector<float>& values);
std::string WholeTensor(absl::string_view name, const Sizes& shape, const Sizes& values);
std::string RawTensor(absl::string_view name, const Sizes& shape, int64_t type, absl::string_view raw);
// The bytes of one TensorProto whose values lie in another file; `place`: its external_data, key after text.
std::string ExternalTensor(absl::string_view name, const Sizes& shape, int64_t type, const Names& place);
std::string TensorAttribute(absl::string_view name, absl::string_view tensor);

// An ONNX file in the making, of which any part may be wrong.
class OnnxFile {
 public:
  // Input X of [time, 1, 2] with the time open, unless another shape is given (-1: open, -2: and without a name);
  // output Y.
  explicit OnnxFile(const Sizes& input_shape = {-1, 1, 2}) { AddInput("X", input_shape); }

  OnnxFile& AddInput(absl::string_view name, const Sizes& shape);
  OnnxFile& AddTensor(absl::string_view bytes);  // an initializer
  OnnxFile& AddNode(absl::string_view op, const Names& inputs, const Names& outputs, const Names& attributes = {},
                    absl::string_view name = "the_node");

  std::string GraphBytes() const;
  std::string Bytes() const;  // the ModelProto
  // Reads the file as rondo-convert does, up to the network. Null: it must not have values in other files.
  absl::StatusOr<ElementGraph> Read(ExternalFiles* files = nullptr, const OnnxOptions& options = {}) const;

 private:
  std::string nodes_, tensors_, inputs_;
};

// An ONNX file of one cell named "the_cell" with 1 unit and 2 inputs, whose weights count up from 0 in the file's
// order.
OnnxFile OneCell(absl::string_view op, int64_t gates, const Names& attributes = {});

}  // namespace rondo::convert

#endif  // RONDO_TESTS_UNIT_MODEL_CONVERT_ONNX_BYTES_H_
