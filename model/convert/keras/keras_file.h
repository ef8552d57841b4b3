#ifndef RONDO_MODEL_CONVERT_KERAS_KERAS_FILE_H_
#define RONDO_MODEL_CONVERT_KERAS_KERAS_FILE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"
#include "model/convert/graph/element_graph.h"

namespace rondo::convert {

struct KerasLayerWeights {
  std::vector<std::string> names;  // as the file has them: "lstm_1/kernel:0"
  std::vector<Array> arrays;       // in the layer's own order: kernel, recurrent_kernel, bias
};

// What a Keras file holds.
struct KerasFile {
  std::string config;   // the model's configuration, a JSON text; empty: the file has weights only
  std::string version;  // of Keras: "2.2.4-tf"; empty: not known
  std::map<std::string, KerasLayerWeights> layers;  // by name
};

// Reads an .h5 file of a whole model or of weights, or an archive of Keras 3 (.keras). `config`: the configuration,
// which says the names of weights that Keras 3 saved alone (.weights.h5); may be empty. DATA_LOSS.
absl::StatusOr<KerasFile> ReadH5Model(const std::string& bytes, const std::string& config);
absl::StatusOr<KerasFile> ReadKerasArchive(std::string bytes);
// True: the archive is one of Keras 3.
bool IsKerasArchive(const std::string& bytes);

// Builds the network of a file; the configuration is `config` if the file has none. Layers are followed from the input;
// one that is not supported is refused by its name.
void BuildKeras(const KerasFile& file, absl::string_view config, ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_KERAS_KERAS_FILE_H_
