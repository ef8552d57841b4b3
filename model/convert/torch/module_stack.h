#ifndef RONDO_MODEL_CONVERT_TORCH_MODULE_STACK_H_
#define RONDO_MODEL_CONVERT_TORCH_MODULE_STACK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "model/convert/graph/element_graph.h"
#include "model/convert/torch/weight_file.h"

namespace rondo::convert {

// What tensors do not say of the network that they are of.
struct StackOptions {
  std::vector<std::string> rnn;          // modules that are the recurrent part, in order; empty: all that are
  std::vector<std::string> head;         // modules that give the output, side by side; empty: the last
  std::vector<std::string> activations;  // MODULE=FUNCTION
  bool tokens = false;  // the first matrix without a bias is an embedding, also where it could be a Linear
};

// Takes out the tensors whose names match one of the globs.
absl::Status IgnoreTensors(const std::vector<std::string>& globs, WeightFile* file);

// Reads the modules as a stack, each fed by the one before it, in the order in which they were made. Whatever the file
// leaves open is refused with the option that would say it: nothing is guessed that changes a number.
void BuildStack(const WeightFile& file, const StackOptions& options, ElementGraph* graph);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_TORCH_MODULE_STACK_H_
