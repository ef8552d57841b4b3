#include "model/convert/onnx/onnx_graph.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/archive/number_type.h"
#include "model/convert/onnx/wire_reader.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr int kMaxDepth = 16;         // of graphs inside each other's nodes
constexpr size_t kMaxNodes = 200000;  // of one graph
constexpr size_t kMaxRank = 8;

struct Tensor {
  std::string name;
  std::vector<int64_t> shape, wholes;
  std::vector<float> floats;
  absl::string_view raw, doubles;
  int64_t type = 0;
  bool has_raw = false, elsewhere = false;
};

// TensorProto.DataType.
std::optional<NumberType> TypeOf(int64_t type) {
  switch (type) {
    case 1:
      return NumberType::kFloat32;
    case 2:
      return NumberType::kUint8;
    case 3:
      return NumberType::kInt8;
    case 5:
      return NumberType::kInt16;
    case 6:
      return NumberType::kInt32;
    case 7:
      return NumberType::kInt64;
    case 9:
      return NumberType::kBool;
    case 10:
      return NumberType::kFloat16;
    case 11:
      return NumberType::kFloat64;
    case 16:
      return NumberType::kBfloat16;
    default:
      return std::nullopt;
  }
}

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the ONNX file is damaged: ", what));
}

absl::StatusOr<Array> ToArray(Tensor tensor) {
  const std::string named = absl::StrCat("tensor ", Quoted(tensor.name));
  if (tensor.elsewhere) {
    return absl::InvalidArgumentError(absl::StrCat(
        named, " has its values in another file; onnx.save with save_as_external_data=False puts them in"));
  }
  const std::optional<NumberType> type = TypeOf(tensor.type);
  if (!type.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(named, " has numbers of the type ", tensor.type,
                                                   "; float, double, float16, bfloat16, int8 to int64, uint8 and bool "
                                                   "are read"));
  }
  const std::optional<int64_t> size = tensor.shape.size() > kMaxRank ? std::nullopt : SizeOf(tensor.shape);
  if (!size.has_value()) {
    return Damaged(absl::StrCat(named, " has a shape with a negative or too large size, or of too many dimensions"));
  }
  Array array{std::move(tensor.shape), {}};
  array.whole = *type != NumberType::kFloat16 && *type != NumberType::kBfloat16 && *type != NumberType::kFloat32 &&
                *type != NumberType::kFloat64;
  if (tensor.has_raw) {
    if (static_cast<int64_t>(tensor.raw.size()) != *size * BytesOf(*type)) {
      return Damaged(absl::StrCat(named, " has ", tensor.raw.size(), " bytes; its shape ", ShapeText(array.shape),
                                  " wants ", *size * BytesOf(*type)));
    }
    array.values = ReadNumbers(*type, tensor.raw);
    return array;
  }
  if (*type == NumberType::kFloat64) {
    array.values = ReadNumbers(*type, tensor.doubles);
  } else if (*type == NumberType::kFloat32) {
    array.values.assign(tensor.floats.begin(), tensor.floats.end());
  } else if (*type == NumberType::kFloat16 || *type == NumberType::kBfloat16) {
    return absl::InvalidArgumentError(absl::StrCat(named, " keeps 16-bit floats one by one; raw_data is read"));
  } else {
    array.values.assign(tensor.wholes.begin(), tensor.wholes.end());
  }
  if (array.size() != *size) {
    return Damaged(
        absl::StrCat(named, " has ", array.size(), " values; its shape ", ShapeText(array.shape), " wants ", *size));
  }
  return array;
}

absl::StatusOr<Tensor> ParseTensor(absl::string_view bytes) {
  Tensor tensor;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.number()) {
      case 1:
        reader.AppendWholes(&tensor.shape);
        break;
      case 2:
        tensor.type = reader.whole();
        break;
      case 4:
        reader.AppendFloats(&tensor.floats);
        break;
      case 5:
      case 7:
        reader.AppendWholes(&tensor.wholes);
        break;
      case 8:
        tensor.name = std::string(reader.bytes());
        break;
      case 9:
        tensor.raw = reader.bytes();
        tensor.has_raw = true;
        break;
      case 10:
        tensor.doubles = reader.bytes();
        break;
      case 13:
        tensor.elsewhere = true;
        break;
      case 14:
        tensor.elsewhere = tensor.elsewhere || reader.whole() == 1;
        break;
      default:
        break;
    }
  }
  if (reader.damaged()) return Damaged(absl::StrCat("tensor ", Quoted(tensor.name)));
  return tensor;
}

// TypeProto.Tensor: elem_type and shape.
bool ParseTensorType(absl::string_view bytes, OnnxValue* value) {
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.number() == 1)
      value->whole = reader.whole() != 1 && reader.whole() != 10 && reader.whole() != 11 && reader.whole() != 16;
    if (reader.number() != 2) continue;
    value->has_shape = true;
    WireReader shape(reader.bytes());
    while (shape.Next()) {
      if (shape.number() != 1) continue;
      OnnxDimension& dimension = value->shape.emplace_back();
      WireReader size(shape.bytes());
      while (size.Next()) {
        if (size.number() == 1) dimension.size = std::max<int64_t>(size.whole(), -1);
        if (size.number() == 2) dimension.name = std::string(size.bytes());
      }
      if (size.damaged()) return false;
    }
    if (shape.damaged()) return false;
  }
  return !reader.damaged() && value->shape.size() <= kMaxRank;
}

absl::StatusOr<OnnxValue> ParseValue(absl::string_view bytes) {
  OnnxValue value;
  bool whole = true;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.number() == 1) value.name = std::string(reader.bytes());
    if (reader.number() != 2) continue;
    WireReader type(reader.bytes());
    while (type.Next()) {
      if (type.number() == 1) whole = ParseTensorType(type.bytes(), &value) && whole;
    }
    whole = whole && !type.damaged();
  }
  if (reader.damaged() || !whole) return Damaged(absl::StrCat("the shape of value ", Quoted(value.name)));
  return value;
}

absl::StatusOr<OnnxGraph> ParseGraph(absl::string_view bytes, int depth);

absl::Status ParseAttribute(absl::string_view bytes, int depth, OnnxNode* node) {
  std::string name;
  OnnxAttribute attribute;
  WireReader reader(bytes);
  while (reader.Next()) {
    switch (reader.number()) {
      case 1:
        name = std::string(reader.bytes());
        break;
      case 2:
        attribute.number = reader.number32();
        break;
      case 3:
        attribute.whole = reader.whole();
        break;
      case 4:
        attribute.text = std::string(reader.bytes());
        break;
      case 5: {
        absl::StatusOr<Tensor> tensor = ParseTensor(reader.bytes());
        if (!tensor.ok()) return tensor.status();
        absl::StatusOr<Array> array = ToArray(*std::move(tensor));
        if (!array.ok()) return array.status();
        attribute.tensor = std::make_shared<const Array>(*std::move(array));
        break;
      }
      case 6: {
        absl::StatusOr<OnnxGraph> graph = ParseGraph(reader.bytes(), depth + 1);
        if (!graph.ok()) return graph.status();
        attribute.graph = std::make_shared<const OnnxGraph>(*std::move(graph));
        break;
      }
      case 7:
        reader.AppendFloats(&attribute.numbers);
        break;
      case 8:
        reader.AppendWholes(&attribute.wholes);
        break;
      case 9:
        attribute.texts.emplace_back(reader.bytes());
        break;
      default:
        break;
    }
  }
  if (reader.damaged()) return Damaged(absl::StrCat("attribute ", Quoted(name), " of ", node->Described()));
  node->attributes[name] = std::move(attribute);
  return absl::OkStatus();
}

absl::StatusOr<OnnxNode> ParseNode(absl::string_view bytes, int depth) {
  OnnxNode node;
  std::vector<absl::string_view> attributes;
  WireReader reader(bytes);
  while (reader.Next()) {
    const absl::string_view text = reader.bytes();
    if (reader.number() == 1) node.inputs.emplace_back(text);
    if (reader.number() == 2) node.outputs.emplace_back(text);
    if (reader.number() == 3) node.name = std::string(text);
    if (reader.number() == 4) node.op = std::string(text);
    if (reader.number() == 5) attributes.push_back(text);
    if (reader.number() == 7) node.domain = std::string(text);
  }
  if (reader.damaged()) return Damaged(node.Described());
  for (const absl::string_view attribute : attributes) {
    if (absl::Status status = ParseAttribute(attribute, depth, &node); !status.ok()) return status;
  }
  return node;
}

absl::Status ParseGraphField(const WireReader& reader, int depth, OnnxGraph* graph) {
  switch (reader.number()) {
    case 1: {
      absl::StatusOr<OnnxNode> node = ParseNode(reader.bytes(), depth);
      if (!node.ok()) return node.status();
      if (graph->nodes.size() == kMaxNodes) return Damaged(absl::StrCat("it has more than ", kMaxNodes, " nodes"));
      graph->nodes.push_back(*std::move(node));
      return absl::OkStatus();
    }
    case 5: {
      absl::StatusOr<Tensor> tensor = ParseTensor(reader.bytes());
      if (!tensor.ok()) return tensor.status();
      const std::string name = tensor->name;
      absl::StatusOr<Array> array = ToArray(*std::move(tensor));
      if (!array.ok()) return array.status();
      graph->initializers[name] = *std::move(array);
      return absl::OkStatus();
    }
    case 11:
    case 12: {
      absl::StatusOr<OnnxValue> value = ParseValue(reader.bytes());
      if (!value.ok()) return value.status();
      (reader.number() == 11 ? graph->inputs : graph->outputs).push_back(*std::move(value));
      return absl::OkStatus();
    }
    case 15:
      return absl::InvalidArgumentError("the graph has sparse initializers; dense ones are read");
    default:
      return absl::OkStatus();
  }
}

absl::StatusOr<OnnxGraph> ParseGraph(absl::string_view bytes, int depth) {
  if (depth > kMaxDepth) return Damaged(absl::StrCat("graphs stand more than ", kMaxDepth, " deep inside each other"));
  OnnxGraph graph;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (absl::Status status = ParseGraphField(reader, depth, &graph); !status.ok()) return status;
  }
  if (reader.damaged()) return Damaged("its graph ends too early");
  graph.inputs.erase(std::remove_if(graph.inputs.begin(), graph.inputs.end(),
                                    [&](const OnnxValue& value) { return graph.initializers.count(value.name) > 0; }),
                     graph.inputs.end());
  return graph;
}

}  // namespace

std::string OnnxNode::Described() const {
  const std::string& shown = !name.empty() || outputs.empty() ? name : outputs[0];
  return absl::StrCat("node ", Quoted(shown), " (", op.substr(0, 40), ")");
}

absl::StatusOr<OnnxModel> ParseOnnxModel(absl::string_view bytes) {
  OnnxModel model;
  bool has_graph = false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.number() == 7) {
      absl::StatusOr<OnnxGraph> graph = ParseGraph(reader.bytes(), 0);
      if (!graph.ok()) return graph.status();
      model.graph = *std::move(graph);
      has_graph = true;
    }
    if (reader.number() == 14) {
      WireReader entry(reader.bytes());
      std::string key, value;
      while (entry.Next()) {
        if (entry.number() == 1) key = std::string(entry.bytes());
        if (entry.number() == 2) value = std::string(entry.bytes());
      }
      model.metadata[key] = value;
    }
    if (reader.number() == 25)
      return absl::InvalidArgumentError("the model has functions of its own; inline them first");
    if (reader.number() != 8) continue;
    WireReader opset(reader.bytes());
    std::string domain;
    int64_t version = 0;
    while (opset.Next()) {
      if (opset.number() == 1) domain = std::string(opset.bytes());
      if (opset.number() == 2) version = opset.whole();
    }
    if (domain.empty() || domain == "ai.onnx") model.opset = version;
  }
  if (reader.damaged() || !has_graph) return Damaged("it is no ModelProto with a graph");
  return model;
}

absl::StatusOr<Array> ParseOnnxTensor(absl::string_view bytes) {
  absl::StatusOr<Tensor> tensor = ParseTensor(bytes);
  if (!tensor.ok()) return tensor.status();
  return ToArray(*std::move(tensor));
}

}  // namespace rondo::convert
