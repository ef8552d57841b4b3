#ifndef RONDO_MODEL_CONVERT_EXPORT_ONNX_BUILDER_H_
#define RONDO_MODEL_CONVERT_EXPORT_ONNX_BUILDER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/export/wire_writer.h"
#include "model/convert/graph/array.h"

namespace rondo::convert {

using OnnxAttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttributeValue>>;

// Puts an ONNX graph together, node by node.
class OnnxBuilder {
 public:
  // Adds a node and returns the name of its first output. Further outputs are read by nobody.
  std::string Add(absl::string_view op, const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {},
                  int outputs = 1);
  // Adds a constant and returns its name.
  std::string Floats(const Array& array);
  std::string Doubles(const Array& array);
  std::string Wholes(const std::vector<int64_t>& values);

  // An input of floats or whole numbers; a size of -1: the timesteps.
  void AddInput(const std::string& name, bool whole, const std::vector<int64_t>& shape);
  // Says a thing of the model that no program but this one reads.
  void AddMetadata(const std::string& key, const std::string& value) { metadata_.emplace_back(key, value); }
  // The whole ModelProto, with `output` [timesteps, size] under the name Y.
  std::string Model(const std::string& output, int64_t size);

 private:
  std::string NewName() { return "t" + std::to_string(count_++); }

  WireWriter graph_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  int64_t count_ = 0;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_ONNX_BUILDER_H_
