#include "model/convert/export/onnx_writer.h"

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
  OnnxBuilder out;
  absl::Status status;
  std::map<std::string, ExportedValue> values;
  values["input"] = ExportInputs(spec, &out);
  for (const Element& element : graph.elements()) {
    std::vector<ExportedValue> in;
    for (const std::string& of : element.of) in.push_back(values.at(of));
    ElementExport exported(element, std::move(in), "X", &out, &status);
    const ElementExporter exporter = FindExporter(element.type);
    if (exporter == nullptr) exported.Refuse(absl::StrCat("is of the type ", element.type));
    if (!status.ok()) return status;
    values[element.name] = {exporter(exported), element.frame};
    if (!status.ok()) return status;
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
