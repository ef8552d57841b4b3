#include "tests/unit/model/convert/onnx_bytes.h"

#include <numeric>

#include "model/convert/export/wire_writer.h"
#include "model/convert/onnx/onnx_network.h"

namespace rondo::convert {
namespace {

std::string Field(uint64_t number, absl::string_view bytes) {
  WireWriter out;
  out.Bytes(number, bytes);
  return out.bytes();
}

WireWriter Attribute(absl::string_view name) {
  WireWriter out;
  out.Bytes(1, name);
  return out;
}

std::string CountingTensor(absl::string_view name, const Sizes& shape, float from) {
  std::vector<float> values(static_cast<size_t>(SizeOf(shape).value_or(0)));
  std::iota(values.begin(), values.end(), from);
  return FloatTensor(name, shape, values);
}

}  // namespace

std::string WholeAttribute(absl::string_view name, int64_t value) {
  WireWriter out = Attribute(name);
  out.Whole(3, value);
  return out.bytes();
}

std::string NumberAttribute(absl::string_view name, float value) {
  WireWriter out = Attribute(name);
  out.Number(2, value);
  return out.bytes();
}

std::string NumbersAttribute(absl::string_view name, const std::vector<float>& values) {
  WireWriter out = Attribute(name);
  for (const float value : values) out.Number(7, value);
  return out.bytes();
}

std::string TextAttribute(absl::string_view name, absl::string_view value) {
  WireWriter out = Attribute(name);
  out.Bytes(4, value);
  return out.bytes();
}

std::string TextsAttribute(absl::string_view name, const Names& values) {
  WireWriter out = Attribute(name);
  for (const std::string& value : values) out.Bytes(9, value);
  return out.bytes();
}

std::string GraphAttribute(absl::string_view name, absl::string_view graph) {
  WireWriter out = Attribute(name);
  out.Bytes(6, graph);
  return out.bytes();
}

std::string FloatTensor(absl::string_view name, const Sizes& shape, const std::vector<float>& values) {
  return RawTensor(name, shape, 1, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

std::string WholeTensor(absl::string_view name, const Sizes& shape, const Sizes& values) {
  return RawTensor(name, shape, 7, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int64_t)});
}

std::string RawTensor(absl::string_view name, const Sizes& shape, int64_t type, absl::string_view raw) {
  WireWriter out;
  for (const int64_t size : shape) out.Whole(1, size);
  out.Whole(2, type);
  out.Bytes(8, name);
  out.Bytes(9, raw);
  return out.bytes();
}

std::string ExternalTensor(absl::string_view name, const Sizes& shape, int64_t type, const Names& place) {
  WireWriter out;
  for (const int64_t size : shape) out.Whole(1, size);
  out.Whole(2, type);
  out.Bytes(8, name);
  for (size_t i = 0; i + 1 < place.size(); i += 2) {
    WireWriter entry;
    entry.Bytes(1, place[i]);
    entry.Bytes(2, place[i + 1]);
    out.Bytes(13, entry.bytes());
  }
  out.Whole(14, 1);
  return out.bytes();
}

std::string TensorAttribute(absl::string_view name, absl::string_view tensor) {
  WireWriter out = Attribute(name);
  out.Bytes(5, tensor);
  return out.bytes();
}

OnnxFile& OnnxFile::AddInput(absl::string_view name, const Sizes& shape) {
  WireWriter dimensions, tensor, value;
  for (size_t i = 0; i < shape.size(); ++i) {
    WireWriter dimension;
    if (shape[i] == -1) {
      dimension.Bytes(2, i == 0 ? "time" : "other");
    } else if (shape[i] >= 0) {
      dimension.Whole(1, shape[i]);
    }
    dimensions.Bytes(1, dimension.bytes());
  }
  tensor.Whole(1, 1);
  tensor.Bytes(2, dimensions.bytes());
  value.Bytes(1, name);
  value.Bytes(2, Field(1, tensor.bytes()));
  inputs_ += Field(11, value.bytes());
  return *this;
}

OnnxFile& OnnxFile::AddTensor(absl::string_view bytes) {
  tensors_ += Field(5, bytes);
  return *this;
}

OnnxFile& OnnxFile::AddNode(absl::string_view op, const Names& inputs, const Names& outputs, const Names& attributes,
                            absl::string_view name) {
  WireWriter node;
  for (const std::string& input : inputs) node.Bytes(1, input);
  for (const std::string& output : outputs) node.Bytes(2, output);
  node.Bytes(3, name);
  node.Bytes(4, op);
  for (const std::string& attribute : attributes) node.Bytes(5, attribute);
  nodes_ += Field(1, node.bytes());
  return *this;
}

std::string OnnxFile::GraphBytes() const { return nodes_ + tensors_ + inputs_ + Field(12, Field(1, "Y")); }

std::string OnnxFile::Bytes() const {
  WireWriter opset, model;
  opset.Whole(2, 15);
  model.Whole(1, 8);
  model.Bytes(7, GraphBytes());
  model.Bytes(8, opset.bytes());
  return model.bytes();
}

absl::StatusOr<ElementGraph> OnnxFile::Read(ExternalFiles* files, const OnnxOptions& options) const {
  const absl::StatusOr<OnnxModel> model = ParseOnnxModel(Bytes(), files);
  if (!model.ok()) return model.status();
  return ReadOnnxNetwork(*model, options);
}

OnnxFile OneCell(absl::string_view op, int64_t gates, const Names& attributes) {
  OnnxFile file;
  file.AddTensor(CountingTensor("W", {1, gates, 2}, 0));
  file.AddTensor(CountingTensor("R", {1, gates, 1}, 100));
  file.AddTensor(CountingTensor("B", {1, 2 * gates}, 200));
  Names all = attributes;
  all.push_back(WholeAttribute("hidden_size", 1));
  file.AddNode(op, {"X", "W", "R", "B"}, {"Y"}, all, "the_cell");
  return file;
}

}  // namespace rondo::convert
