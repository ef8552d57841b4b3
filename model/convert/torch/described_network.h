#ifndef RONDO_MODEL_CONVERT_TORCH_DESCRIBED_NETWORK_H_
#define RONDO_MODEL_CONVERT_TORCH_DESCRIBED_NETWORK_H_

#include "model/convert/graph/element_graph.h"
#include "model/convert/torch/weight_file.h"
#include "nlohmann/json.hpp"

namespace rondo::convert {

// Builds the network that a description of format 2 lists, with the tensors of the file. Beside the keys that the
// format has, an element may say `module`: the prefix of its tensors in the file (its own name, if it does not say),
// and `tensors`: the name in the file of one slot or several. PyTorch's names of a cell's tensors (weight_ih_l0) are
// known.
void BuildDescribed(const WeightFile& file, const nlohmann::json& description, ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_DESCRIBED_NETWORK_H_
