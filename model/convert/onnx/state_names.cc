#include "model/convert/onnx/state_names.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

namespace rondo::convert {
namespace {

// Words that say of a state only which of the two it is.
constexpr absl::string_view kSides[] = {"in",   "out",  "input", "output", "new",  "next",    "prev", "previous",
                                        "last", "past", "cur",   "old",    "init", "initial", "ret",  "updated"};

// Operators that move the numbers of their first input, or of all.
constexpr absl::string_view kMoving[] = {"Cast",  "Concat", "Expand",  "Gather",    "Identity", "Reshape",
                                         "Slice", "Split",  "Squeeze", "Transpose", "Unsqueeze"};

bool IsSide(absl::string_view word) {
  return std::find(std::begin(kSides), std::end(kSides), word) != std::end(kSides);
}

// Runs of letters and of digits, in lower case.
std::vector<std::string> WordsOf(absl::string_view name) {
  std::vector<std::string> words;
  char before = '_';
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(letter)) {
      const auto last = static_cast<unsigned char>(before);
      const bool goes_on = absl::ascii_isalnum(last) && absl::ascii_isdigit(last) == absl::ascii_isdigit(letter);
      if (!goes_on) words.emplace_back();
      words.back().push_back(absl::ascii_tolower(letter));
    }
    before = c;
  }
  return words;
}

bool MayBeOfOneShape(const OnnxValue& a, const OnnxValue& b) {
  if (!a.has_shape || !b.has_shape) return true;
  return a.shape.size() == b.shape.size() && std::equal(a.shape.begin(), a.shape.end(), b.shape.begin(),
                                                        [](const OnnxDimension& x, const OnnxDimension& y) {
                                                          return x.size < 0 || y.size < 0 || x.size == y.size;
                                                        });
}

}  // namespace

std::string StateName(absl::string_view name) {
  const std::vector<std::string> all = WordsOf(name);
  std::vector<std::string> words;
  std::copy_if(all.begin(), all.end(), std::back_inserter(words),
               [](const std::string& word) { return !IsSide(word); });
  if (words.empty()) return "";
  // hn, cn, stateN: the next one; h0, c0: the first one.
  std::string& last = words.back();
  if (last == "hn" || last == "cn" || last == "staten") last.pop_back();
  if (words.size() == 2 && words[0].size() == 1 && last == "0") words.pop_back();
  return absl::StrJoin(words, "_");
}

std::vector<std::string> StatesByName(const OnnxGraph& graph) {
  std::vector<std::string> states;
  for (const OnnxValue& input : graph.inputs) {
    const std::string name = StateName(input.name);
    if (name.empty() || input.whole || input.shape.empty()) continue;
    for (const OnnxValue& output : graph.outputs) {
      if (StateName(output.name) != name || !MayBeOfOneShape(input, output)) continue;
      const bool both_first = &input == &graph.inputs.front() && &output == &graph.outputs.front();
      if (!both_first && output.name != input.name) states.push_back(input.name);
      break;
    }
  }
  return states.size() < graph.inputs.size() ? states : std::vector<std::string>{};
}

std::vector<std::string> StatesOfCells(const OnnxGraph& graph) {
  std::map<std::string, const OnnxNode*> makers;
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& output : node.outputs) makers[output] = &node;
  }
  std::vector<std::string> names;
  for (const OnnxNode& node : graph.nodes) {
    if (node.op != "LSTM" && node.op != "GRU" && node.op != "RNN") continue;
    for (size_t i = 5; i <= 6 && i < node.inputs.size(); ++i) names.push_back(node.inputs[i]);
  }
  std::set<std::string> seen;
  std::vector<std::string> states;
  while (!names.empty()) {
    const std::string name = std::move(names.back());
    names.pop_back();
    if (name.empty() || !seen.insert(name).second) continue;
    const auto input = std::find_if(graph.inputs.begin(), graph.inputs.end(),
                                    [&](const OnnxValue& value) { return value.name == name && !value.shape.empty(); });
    if (input != graph.inputs.end()) states.push_back(name);
    const auto maker = makers.find(name);
    if (maker == makers.end()) continue;
    const OnnxNode& node = *maker->second;
    const bool moves = std::find(std::begin(kMoving), std::end(kMoving), node.op) != std::end(kMoving);
    if (!moves || node.inputs.empty()) continue;
    names.insert(names.end(), node.inputs.begin(), node.op == "Concat" ? node.inputs.end() : node.inputs.begin() + 1);
  }
  return states.size() < graph.inputs.size() ? states : std::vector<std::string>{};
}

bool IsOfLengths(const OnnxGraph& graph, const OnnxValue& input, const std::map<std::string, std::string>& states) {
  return input.whole && input.has_shape && input.shape.size() == 1 &&
         std::any_of(graph.inputs.begin(), graph.inputs.end(),
                     [&](const OnnxValue& other) { return other.shape.size() > 1 && states.count(other.name) == 0; });
}

}  // namespace rondo::convert
