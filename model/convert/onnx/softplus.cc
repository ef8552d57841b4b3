#include "model/convert/onnx/softplus.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace rondo::convert {
namespace {

constexpr double kLeastThreshold = 20;

class SoftplusJoiner {
 public:
  explicit SoftplusJoiner(OnnxGraph* graph) : graph_(*graph) {
    for (const OnnxNode& node : graph_.nodes) {
      if (node.outputs.size() == 1) makers_[node.outputs[0]] = &node;
    }
  }

  void Join() {
    std::set<std::string> comparisons;
    for (OnnxNode& node : graph_.nodes) {
      if (!IsSoftplus(node)) continue;
      comparisons.insert(node.inputs[0]);
      node.op = "Identity";
      node.inputs = {node.inputs[2]};
    }
    for (const OnnxNode& node : graph_.nodes) {
      for (const std::string& input : node.inputs) comparisons.erase(input);
    }
    const auto unread = [&](const OnnxNode& node) {
      return node.op == "Greater" && node.outputs.size() == 1 && comparisons.count(node.outputs[0]) > 0;
    };
    graph_.nodes.erase(std::remove_if(graph_.nodes.begin(), graph_.nodes.end(), unread), graph_.nodes.end());
  }

 private:
  // The node that makes a value, if it is this operator with as many inputs. Null: another one does, or none.
  const OnnxNode* MakerOf(const std::string& value, const char* op, size_t inputs) const {
    const auto found = makers_.find(value);
    const bool is = found != makers_.end() && found->second->op == op && found->second->inputs.size() == inputs;
    return is ? found->second : nullptr;
  }

  bool IsSoftplus(const OnnxNode& node) const {
    if (node.op != "Where" || node.inputs.size() != 3) return false;
    const OnnxNode* comparison = MakerOf(node.inputs[0], "Greater", 2);
    const OnnxNode* softplus = MakerOf(node.inputs[2], "Softplus", 1);
    const std::string& x = node.inputs[1];
    if (comparison == nullptr || softplus == nullptr || comparison->inputs[0] != x || softplus->inputs[0] != x) {
      return false;
    }
    const auto threshold = graph_.initializers.find(comparison->inputs[1]);
    return threshold != graph_.initializers.end() && threshold->second.rank() == 0 &&
           threshold->second.values[0] >= kLeastThreshold;
  }

  OnnxGraph& graph_;
  std::map<std::string, const OnnxNode*> makers_;  // of each value
};

}  // namespace

void JoinSoftplus(OnnxGraph* graph) { SoftplusJoiner(graph).Join(); }

}  // namespace rondo::convert
