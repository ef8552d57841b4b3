#ifndef RONDO_MODEL_CONVERT_ONNX_STATE_NAMES_H_
#define RONDO_MODEL_CONVERT_ONNX_STATE_NAMES_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/onnx/onnx_graph.h"

namespace rondo::convert {

// What the name of a state's input and that of its output have in common, so that the two can be told to be a pair:
// "conv_cache" of "conv_cache_out", "0" of "input_0" and "output_0", "h" of "h0" and "hn".
std::string StateName(absl::string_view name);

// The inputs whose name and shape are those of an output, so that they are states. The first input is data if it would
// pair with the first output, as a frame and the frame that comes of it do.
std::vector<std::string> StatesByName(const OnnxGraph& graph);

// The inputs that LSTM, GRU and RNN begin with, perhaps cut or turned on the way.
std::vector<std::string> StatesOfCells(const OnnxGraph& graph);

// Tells whether the input holds whole numbers beside another input of two axes or more that is no state: the lengths of
// its sequences. Beside states alone they are tokens. `states`: by the inputs' names.
bool IsOfLengths(const OnnxGraph& graph, const OnnxValue& input, const std::map<std::string, std::string>& states);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_STATE_NAMES_H_
