#include "model/convert/onnx/input_axes.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace rondo::convert {
namespace {

bool IsNamed(const OnnxDimension& dimension, std::initializer_list<absl::string_view> words) {
  const std::string name = absl::AsciiStrToLower(dimension.name);
  return std::any_of(words.begin(), words.end(), [&](absl::string_view word) { return absl::StrContains(name, word); });
}

int Likelihood(const OnnxValue& input, const InputAxes& axes) {
  int likely = 0;
  for (int64_t axis = 0; axis < static_cast<int64_t>(input.shape.size()); ++axis) {
    const OnnxDimension& dimension = input.shape[axis];
    const bool open = dimension.size < 0;
    if (axis == axes.time) {
      likely += (open ? 4 : input.shape.size() < 3 ? -1 : dimension.size > 1 ? 1 : 0) + (IsTimeName(dimension) ? 4 : 0);
      likely -= IsBatchName(dimension) ? 8 : 0;
    } else if (axis == axes.batch) {
      likely += (open ? 2 : dimension.size == 1 ? 1 : -3) + (IsBatchName(dimension) ? 4 : 0);
      likely -= IsTimeName(dimension) ? 6 : 0;
    } else {
      likely -= open ? 20 : 0;
    }
  }
  return likely;
}

}  // namespace

bool IsTimeName(const OnnxDimension& dimension) {
  return IsNamed(dimension, {"seq", "time", "len", "frame", "step", "unk__"}) || dimension.name == "T";
}

bool IsBatchName(const OnnxDimension& dimension) {
  return IsNamed(dimension, {"batch"}) || dimension.name == "N" || dimension.name == "B";
}

std::vector<Hypothesis> HypothesesOf(const OnnxValue& input) {
  std::vector<Hypothesis> hypotheses;
  const int64_t rank = static_cast<int64_t>(input.shape.size());
  const auto add = [&](int64_t time, int64_t batch) {
    const InputAxes axes{time, batch};
    hypotheses.push_back({axes, Likelihood(input, axes)});
  };
  for (int64_t time = 0; time < rank; ++time) {
    for (int64_t batch = 0; batch < std::min<int64_t>(rank, 2); ++batch) {
      if (batch != time) add(time, batch);
    }
    add(time, -1);
  }
  add(-1, 0);
  add(-1, -1);
  std::stable_sort(hypotheses.begin(), hypotheses.end(),
                   [](const Hypothesis& a, const Hypothesis& b) { return a.likely > b.likely; });
  return hypotheses;
}

bool CellTakes(const OnnxGraph& graph, const std::string& value) {
  static const auto& keeping = *new std::set<std::string>{"Add", "Cast", "Div",     "Dropout", "Identity", "MatMul",
                                                          "Mul", "Relu", "Sigmoid", "Sub",     "Tanh",     "Transpose"};
  std::set<std::string> made = {value};
  for (const OnnxNode& node : graph.nodes) {
    const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(),
                                   [&](const std::string& input) { return made.count(input) > 0; });
    if (!reads) continue;
    if (node.op == "LSTM" || node.op == "GRU" || node.op == "RNN") return true;
    if (keeping.count(node.op) > 0) made.insert(node.outputs.begin(), node.outputs.end());
  }
  return false;
}

}  // namespace rondo::convert
