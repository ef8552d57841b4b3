#ifndef RONDO_MODEL_CONVERT_ONNX_INPUT_AXES_H_
#define RONDO_MODEL_CONVERT_ONNX_INPUT_AXES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/convert/onnx/onnx_graph.h"

namespace rondo::convert {

// Which axes of an input go through timesteps and sequences; -1: none.
struct InputAxes {
  int64_t time = -1, batch = -1;
};

struct Hypothesis {
  InputAxes axes;
  int likely = 0;
};

// Every way to take the axes of an input, the likeliest first, judged by its open sizes and their names.
std::vector<Hypothesis> HypothesesOf(const OnnxValue& input);

// Tells whether a dimension has a name that timesteps, or the sequences of a batch, usually have.
bool IsTimeName(const OnnxDimension& dimension);
bool IsBatchName(const OnnxDimension& dimension);

// Tells whether a cell takes the value as it is, or what operators made of it that keep its axes, in whatever order.
bool CellTakes(const OnnxGraph& graph, const std::string& value);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_INPUT_AXES_H_
