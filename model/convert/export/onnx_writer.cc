#include "model/convert/export/onnx_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/export/element_export.h"
#include "model/convert/export/served_export.h"
#include "model/convert/graph/metadata_keys.h"

namespace rondo::convert {
namespace {

ElementExporter FindExporter(const std::string& type) {
  for (const ElementExporters* exporters :
       {&CellExporters(), &LayerExporters(), &MovingExporters(), &SequenceExporters()}) {
    if (const auto found = exporters->find(type); found != exporters->end()) return found->second;
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::string> WriteOnnx(const ElementGraph& graph, const ModelSpec& spec) {
  const auto is_memory = [](const Element& element) { return element.type == "memory"; };
  const std::vector<Element>& elements = graph.elements();
  OnnxBuilder out(std::any_of(elements.begin(), elements.end(), is_memory));
  absl::Status status;
  std::map<std::string, ExportedValue> values;
  values["input"] = ExportInputs(spec, &out);
  for (const Element& element : elements) {
    std::vector<ExportedValue> in;
    for (const std::string& of : element.of) in.push_back(values.at(of));
    ElementExport exported(element, std::move(in), "X", &out, &status);
    const ElementExporter exporter = FindExporter(element.type);
    if (exporter == nullptr) exported.Refuse(absl::StrCat("is of the type ", element.type));
    if (!status.ok()) return status;
    values[element.name] = {exporter(exported), element.frame};
    if (!status.ok()) return status;
  }
  for (const Element& element : elements) {
    if (!is_memory(element)) continue;
    const std::string next = values.at(element.attributes["next"].get<std::string>()).tensor;
    out.SetNext(values.at(element.name).tensor, out.Add("Reshape", {next, out.Wholes({1, element.frame.size(), 1})}));
  }
  const std::string rows = out.Add("Reshape", {values.at(graph.output().name).tensor, out.Wholes({0, -1})});
  if (!graph.description().empty()) {
    out.AddMetadata(kServedKey, graph.description().dump());
    out.AddMetadata(kNetworkInputKey, values.at("input").tensor);
    out.AddMetadata(kNetworkWidthKey, absl::StrCat(spec.tokens > 0 ? 0 : spec.feature_size()));
    out.AddMetadata(kNetworkOutputKey, rows);
  }
  return out.Model(ExportOutputs(spec, rows, &out), spec.output_size());
}

}  // namespace rondo::convert
