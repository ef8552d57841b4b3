#include "model/convert/export/onnx_builder.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/graph/metadata_keys.h"

namespace rondo::convert {
namespace {

// AttributeProto.AttributeType.
enum AttributeType { kOneFloat = 1, kOneInt = 2, kOneString = 3, kFloats = 6, kInts = 7, kStrings = 8 };

std::string AttributeBytes(const std::string& name, const OnnxAttributeValue& value) {
  WireWriter out;
  out.Bytes(1, name);
  if (const auto* whole = std::get_if<int64_t>(&value)) {
    out.Whole(3, *whole);
    out.Whole(20, kOneInt);
  } else if (const auto* number = std::get_if<double>(&value)) {
    out.Number(2, static_cast<float>(*number));
    out.Whole(20, kOneFloat);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    out.Bytes(4, *text);
    out.Whole(20, kOneString);
  } else if (const auto* wholes = std::get_if<std::vector<int64_t>>(&value)) {
    for (const int64_t each : *wholes) out.Whole(8, each);
    out.Whole(20, kInts);
  } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    for (const double each : *numbers) out.Number(7, static_cast<float>(each));
    out.Whole(20, kFloats);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& each : *texts) out.Bytes(9, each);
    out.Whole(20, kStrings);
  }
  return out.bytes();
}

std::string TensorBytes(const std::string& name, const std::vector<int64_t>& shape, int64_t type,
                        absl::string_view raw) {
  WireWriter out;
  for (const int64_t size : shape) out.Whole(1, size);
  out.Whole(2, type);
  out.Bytes(8, name);
  out.Bytes(9, raw);
  return out.bytes();
}

std::string ValueInfo(const std::string& name, int64_t type, const std::vector<int64_t>& shape) {
  WireWriter dimensions, tensor, wrapped, value;
  for (const int64_t size : shape) {
    WireWriter dimension;
    if (size < 0) {
      dimension.Bytes(2, "timesteps");
    } else {
      dimension.Whole(1, size);
    }
    dimensions.Bytes(1, dimension.bytes());
  }
  tensor.Whole(1, type);
  tensor.Bytes(2, dimensions.bytes());
  wrapped.Bytes(1, tensor.bytes());
  value.Bytes(1, name);
  value.Bytes(2, wrapped.bytes());
  return value.bytes();
}

}  // namespace

std::string OnnxBuilder::Add(absl::string_view op, const std::vector<std::string>& inputs,
                             const OnnxAttributes& attributes, int outputs) {
  const std::string output = NewName();
  WireWriter node;
  for (const std::string& input : inputs) node.Bytes(1, input);
  node.Bytes(2, output);
  for (int i = 1; i < outputs; ++i) node.Bytes(2, output + "_" + std::to_string(i));
  node.Bytes(3, std::string(op) + "_" + output);
  node.Bytes(4, op);
  for (const auto& [name, value] : attributes) node.Bytes(5, AttributeBytes(name, value));
  graph_.Bytes(1, node.bytes());
  return output;
}

std::string OnnxBuilder::Floats(const Array& array) {
  const std::string name = NewName();
  const std::vector<float> floats(array.values.begin(), array.values.end());
  graph_.Bytes(5, TensorBytes(name, array.shape, kFloat,
                              {reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float)}));
  return name;
}

std::string OnnxBuilder::Doubles(const Array& array) {
  const std::string name = NewName();
  graph_.Bytes(5,
               TensorBytes(name, array.shape, kDouble,
                           {reinterpret_cast<const char*>(array.values.data()), array.values.size() * sizeof(double)}));
  return name;
}

std::string OnnxBuilder::Wholes(const std::vector<int64_t>& values) {
  const std::string name = NewName();
  graph_.Bytes(5, TensorBytes(name, {static_cast<int64_t>(values.size())}, kInt64,
                              {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int64_t)}));
  return name;
}

void OnnxBuilder::AddInput(const std::string& name, bool whole, const std::vector<int64_t>& shape) {
  std::vector<int64_t> sizes = shape;
  std::replace(sizes.begin(), sizes.end(), int64_t{-1}, timesteps_);
  graph_.Bytes(11, ValueInfo(name, whole ? kInt64 : kFloat, sizes));
}

std::string OnnxBuilder::AddState(const std::string& name, const std::vector<int64_t>& shape) {
  const std::string state = absl::StrCat(kStatePrefix, states_.size(), "_", name);
  AddInput(state + kStateInput, false, shape);
  states_.emplace_back(state, shape);
  return state + kStateInput;
}

void OnnxBuilder::SetNext(const std::string& state, const std::string& value) {
  for (const auto& [name, shape] : states_) {
    if (name + kStateInput == state) AddOutput(value, name + kStateOutput, shape);
  }
}

void OnnxBuilder::AddOutput(const std::string& value, const std::string& name, const std::vector<int64_t>& shape) {
  WireWriter node;
  node.Bytes(1, value);
  node.Bytes(2, name);
  node.Bytes(3, name);
  node.Bytes(4, "Identity");
  graph_.Bytes(1, node.bytes());
  outputs_.Bytes(12, ValueInfo(name, kFloat, shape));
}

std::string OnnxBuilder::Model(const std::string& output, int64_t size) {
  constexpr int64_t kIrVersion = 8, kOpset = 17;
  WireWriter states, opset, model;
  std::swap(states, outputs_);  // the answer comes first, the states behind it
  AddOutput(output, kAnswerName, {timesteps_, size});
  outputs_.Append(states);
  graph_.Bytes(2, "rondo");
  graph_.Append(outputs_);
  opset.Bytes(1, "");
  opset.Whole(2, kOpset);
  model.Whole(1, kIrVersion);
  model.Bytes(2, "rondo-convert");
  model.Bytes(7, graph_.bytes());
  model.Bytes(8, opset.bytes());
  for (const auto& [key, value] : metadata_) {
    WireWriter entry;
    entry.Bytes(1, key);
    entry.Bytes(2, value);
    model.Bytes(14, entry.bytes());
  }
  return model.bytes();
}

}  // namespace rondo::convert
