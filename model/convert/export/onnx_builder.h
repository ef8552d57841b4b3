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

// TensorProto.DataType.
inline constexpr int64_t kFloat = 1, kInt64 = 7, kDouble = 11;

using OnnxAttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttributeValue>>;

// Puts an ONNX graph together, node by node.
class OnnxBuilder {
 public:
  // `one_timestep`: the graph takes one timestep a call, or else any number of them.
  explicit OnnxBuilder(bool one_timestep = false) : timesteps_(one_timestep ? 1 : -1) {}

  bool one_timestep() const { return timesteps_ == 1; }
  // Adds a node and returns the name of its first output. The others are that and _1, _2.
  std::string Add(absl::string_view op, const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {},
                  int outputs = 1);
  // Adds a constant and returns its name.
  std::string Floats(const Array& array);
  std::string Doubles(const Array& array);
  std::string Wholes(const std::vector<int64_t>& values);

  // An input of floats or whole numbers; a size of -1: the timesteps of a call.
  void AddInput(const std::string& name, bool whole, const std::vector<int64_t>& shape);
  // A state: an input that is all zeros at first, and the output whose numbers it has at the next call. Returns the
  // input's name; SetNext says what the output is.
  std::string AddState(const std::string& name, const std::vector<int64_t>& shape);
  void SetNext(const std::string& state, const std::string& value);
  // Says a thing of the model that no program but this one reads.
  void AddMetadata(const std::string& key, const std::string& value) { metadata_.emplace_back(key, value); }
  // The whole ModelProto, with `output` [timesteps, size] under the name Y.
  std::string Model(const std::string& output, int64_t size);

 private:
  std::string NewName() { return "t" + std::to_string(count_++); }

  void AddOutput(const std::string& value, const std::string& name, const std::vector<int64_t>& shape);

  const int64_t timesteps_;  // -1: any number
  WireWriter graph_, outputs_;
  std::vector<std::pair<std::string, std::vector<int64_t>>> states_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  int64_t count_ = 0;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_ONNX_BUILDER_H_
