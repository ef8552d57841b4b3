#include "server/store/recorded_model.h"

#include <string>

namespace rondo {

RecordedModel RecordedModelOf(const Model& model) {
  const ModelSpec& spec = model.spec();
  return {model.name,      model.version,    model.fingerprint, std::string(CellName(spec.cell)),
          spec.num_layers, spec.hidden_size, spec.input_size(), spec.output_size()};
}

}  // namespace rondo
