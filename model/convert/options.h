#ifndef RONDO_MODEL_CONVERT_OPTIONS_H_
#define RONDO_MODEL_CONVERT_OPTIONS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/option_table.h"

namespace rondo::convert {

struct ConvertOptions {
  std::string file;    // what is read
  std::string output;  // folder of models; empty: nothing is written
  std::string name;    // of the model; empty: that of the file
  std::string config, check, key, to_onnx;
  std::vector<std::string> rnn, head, ignore, activations;
  std::vector<std::string> states, initializers, dimensions;
  std::map<std::string, int64_t> dimension_sizes;  // what `dimensions` say
};

// The options of rondo-convert. Borrows `options`.
OptionTable ConvertOptionTable(ConvertOptions* options);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_OPTIONS_H_
