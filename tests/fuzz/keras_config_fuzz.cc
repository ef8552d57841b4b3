// Any text as the configuration of a Keras model, as an attribute of an HDF5 file holds it: it is refused, or it
// becomes a network. The weights are those of layers that the seeds have.

#include <cstdint>
#include <string>

#include "model/convert/graph/model_writer.h"
#include "model/convert/keras/keras_file.h"

namespace {

using rondo::convert::Filled;

rondo::convert::KerasFile FileOf(std::string config) {
  rondo::convert::KerasFile file;
  file.config = std::move(config);
  file.version = "2.2.4";
  file.layers["lstm"] = {{"a", "b", "c"}, {Filled({3, 8}, 0.5), Filled({2, 8}, 0.25), Filled({8}, 0)}};
  file.layers["dense"] = {{"a", "b"}, {Filled({2, 1}, 0.5), Filled({1}, 0)}};
  file.layers["conv1d"] = {{"a", "b"}, {Filled({3, 3, 3}, 0.5), Filled({3}, 0)}};
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  rondo::convert::ElementGraph graph;
  rondo::convert::BuildKeras(FileOf(std::string(reinterpret_cast<const char*>(bytes), size)), "", &graph);
  if (!graph.status().ok()) return 0;
  rondo::convert::Simplify(&graph);
  rondo::convert::GraphTable(graph);
  return 0;
}
