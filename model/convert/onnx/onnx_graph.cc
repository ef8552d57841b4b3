#include "model/convert/onnx/onnx_graph.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/wire_reader.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr int kMaxDepth = 16;         // of graphs inside each other's nodes
constexpr size_t kMaxNodes = 200000;  // of one graph

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the ONNX file is damaged: ", what));
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
  return !reader.damaged() && value->shape.size() <= kMaxOnnxRank;
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

absl::StatusOr<OnnxGraph> ParseGraph(absl::string_view bytes, int depth, ExternalFiles* files);

absl::Status ParseAttribute(absl::string_view bytes, int depth, ExternalFiles* files, OnnxNode* node) {
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
        absl::StatusOr<OnnxTensor> tensor = ParseOnnxTensor(reader.bytes(), files);
        if (!tensor.ok()) return tensor.status();
        attribute.tensor = std::make_shared<const Array>(std::move(tensor->array));
        break;
      }
      case 6: {
        absl::StatusOr<OnnxGraph> graph = ParseGraph(reader.bytes(), depth + 1, files);
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

absl::StatusOr<OnnxNode> ParseNode(absl::string_view bytes, int depth, ExternalFiles* files) {
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
    if (absl::Status status = ParseAttribute(attribute, depth, files, &node); !status.ok()) return status;
  }
  return node;
}

absl::Status ParseGraphField(const WireReader& reader, int depth, ExternalFiles* files, OnnxGraph* graph) {
  switch (reader.number()) {
    case 1: {
      absl::StatusOr<OnnxNode> node = ParseNode(reader.bytes(), depth, files);
      if (!node.ok()) return node.status();
      if (graph->nodes.size() == kMaxNodes) return Damaged(absl::StrCat("it has more than ", kMaxNodes, " nodes"));
      graph->nodes.push_back(*std::move(node));
      return absl::OkStatus();
    }
    case 5: {
      absl::StatusOr<OnnxTensor> tensor = ParseOnnxTensor(reader.bytes(), files);
      if (!tensor.ok()) return tensor.status();
      graph->initializers[tensor->name] = std::move(tensor->array);
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

absl::StatusOr<OnnxGraph> ParseGraph(absl::string_view bytes, int depth, ExternalFiles* files) {
  if (depth > kMaxDepth) return Damaged(absl::StrCat("graphs stand more than ", kMaxDepth, " deep inside each other"));
  OnnxGraph graph;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (absl::Status status = ParseGraphField(reader, depth, files, &graph); !status.ok()) return status;
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

absl::StatusOr<OnnxModel> ParseOnnxModel(absl::string_view bytes, ExternalFiles* files) {
  OnnxModel model;
  bool has_graph = false;
  WireReader reader(bytes);
  while (reader.Next()) {
    if (reader.number() == 7) {
      absl::StatusOr<OnnxGraph> graph = ParseGraph(reader.bytes(), 0, files);
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

}  // namespace rondo::convert
