// Any bytes as an ONNX file: it is refused, or it becomes a network whose elements fit together.

#include <cstdint>
#include <cstdlib>

#include "model/convert/graph/model_writer.h"
#include "model/convert/onnx/onnx_graph.h"
#include "model/convert/onnx/onnx_network.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const auto model = rondo::convert::ParseOnnxModel(absl::string_view(reinterpret_cast<const char*>(bytes), size));
  if (!model.ok()) return 0;
  absl::StatusOr<rondo::convert::ElementGraph> graph = rondo::convert::ReadOnnxNetwork(*model, {});
  if (!graph.ok()) return 0;
  rondo::convert::Simplify(&*graph);
  if (graph->output().frame.size() < 1 || rondo::convert::DescriptionJson(*graph).empty()) std::abort();
  return 0;
}
