#include "server/store/recorded_model.h"

#include <string>

namespace rondo {

RecordedModel RecordedModelOf(const Model& model) {
  const ModelSpec& spec = model.spec();
  RecordedModel recorded;
  recorded.name = model.name;
  recorded.version = model.version;
  recorded.fingerprint = model.fingerprint;
  recorded.graph = model.graph_fingerprint;
  if (recorded.graph == 0) {
    recorded.cell = std::string(CellName(spec.cell));
    recorded.num_layers = spec.num_layers;
    recorded.hidden_size = spec.hidden_size;
  }
  recorded.input_size = spec.input_size();
  recorded.output_size = spec.output_size();
  return recorded;
}

}  // namespace rondo
