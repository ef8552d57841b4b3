#ifndef RONDO_MODEL_CONVERT_ONNX_ONNX_BUILDER_H_
#define RONDO_MODEL_CONVERT_ONNX_ONNX_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"
#include "model/convert/onnx/wire_writer.h"

namespace rondo::convert {

using OnnxAttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttributeValue>>;

// Puts an ONNX graph together, node by node.
class OnnxBuilder {
 public:
  // Adds a node and returns the name of its first output.
  std::string Add(absl::string_view op, const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {});
  // Adds a constant and returns its name.
  std::string Floats(const Array& array);
  std::string Wholes(const std::vector<int64_t>& values);

  // The whole ModelProto: X of this shape (-1: the timesteps) in, `output` under the name Y out.
  std::string Model(bool whole_input, const std::vector<int64_t>& input_shape, const std::string& output,
                    int64_t output_size);

 private:
  std::string NewName() { return "t" + std::to_string(count_++); }

  WireWriter graph_;
  int64_t count_ = 0;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_ONNX_BUILDER_H_
