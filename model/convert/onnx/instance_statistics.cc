#include "model/convert/onnx/instance_statistics.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo::convert {
namespace {

// What the nodes compute of the value x, as Formula writes it.
std::string Wanted() {
  const std::string first = "Slice(x,[0],[1],[0])", off = absl::StrCat("Sub(x,", first, ")");
  const std::string axis = "Squeeze([0])", one = "Expand([1],Concat axis=0(Shape end=1 start=0(timesteps),[1,1]))";
  const std::string count = absl::StrCat("CumSum(", one, ",", axis, ")");
  const auto mean_of = [&](const std::string& value) {
    return absl::StrCat("Div(CumSum(", value, ",", axis, "),", count, ")");
  };
  const std::string mean = mean_of(off), square = absl::StrCat("Mul(", off, ",", off, ")");
  const std::string variance = absl::StrCat("Sub(", mean_of(square), ",Mul(", mean, ",", mean, "))");
  return absl::StrCat("Concat axis=1(Add(", mean, ",", first, "),Sqrt(Add(Max(", variance, ",[0]),epsilon)))");
}

class StatisticsJoiner {
 public:
  explicit StatisticsJoiner(OnnxGraph* graph) : graph_(*graph) {
    for (const OnnxNode& node : graph_.nodes) {
      if (node.outputs.size() == 1) makers_[node.outputs[0]] = &node;
    }
  }

  void Join() {
    bool joined = false;
    for (OnnxNode& node : graph_.nodes) joined = JoinAt(&node) || joined;
    if (joined) LeaveOutUnread();
  }

 private:
  const OnnxNode* MakerOf(const std::string& value, absl::string_view op, size_t inputs) const {
    const auto found = makers_.find(value);
    const bool is = found != makers_.end() && found->second->op == op && found->second->inputs.size() == inputs;
    return is ? found->second : nullptr;
  }

  // The node's formula in terms of the values that `names` names. Empty: it is too long, or of something unknown.
  std::string Formula(const std::string& value, const std::map<std::string, std::string>& names, int depth) const {
    if (const auto named = names.find(value); named != names.end()) return named->second;
    if (const auto constant = graph_.initializers.find(value); constant != graph_.initializers.end()) {
      constexpr int64_t kMostValues = 4;
      if (constant->second.size() > kMostValues) return "";
      return absl::StrCat("[", absl::StrJoin(constant->second.values, ","), "]");
    }
    const auto maker = makers_.find(value);
    constexpr int kMostDepth = 12;
    constexpr size_t kMostInputs = 4;
    if (maker == makers_.end() || depth > kMostDepth || maker->second->inputs.size() > kMostInputs) return "";
    const OnnxNode& node = *maker->second;
    std::string text = node.op;
    for (const auto& [name, attribute] : node.attributes) absl::StrAppend(&text, " ", name, "=", attribute.whole);
    constexpr size_t kMostBytes = 2000;
    const char* before = "(";
    for (const std::string& input : node.inputs) {
      const std::string part = Formula(input, names, depth + 1);
      if (part.empty() || text.size() > kMostBytes) return "";
      absl::StrAppend(&text, before, part);
      before = ",";
    }
    return text + ")";
  }

  // The values of the formula in which the node joins means and deviations. Empty: it does something else.
  std::map<std::string, std::string> NamesIn(const OnnxNode& joined) const {
    const OnnxNode *means = MakerOf(joined.inputs[0], "Add", 2), *root = MakerOf(joined.inputs[1], "Sqrt", 1);
    const OnnxNode* sum = root == nullptr ? nullptr : MakerOf(root->inputs[0], "Add", 2);
    const OnnxNode* first = means == nullptr ? nullptr : MakerOf(means->inputs[1], "Slice", 4);
    if (sum == nullptr || first == nullptr || graph_.inputs.empty()) return {};
    const OnnxValue& input = graph_.inputs[0];
    const bool open = !input.shape.empty() && input.shape[0].size < 0;
    const auto epsilon = graph_.initializers.find(sum->inputs[1]);
    if (!open || epsilon == graph_.initializers.end() || epsilon->second.size() != 1) return {};
    return {{first->inputs[0], "x"}, {sum->inputs[1], "epsilon"}, {input.name, "timesteps"}};
  }

  bool JoinAt(OnnxNode* node) const {
    if (node->op != "Cast" || node->inputs.size() != 1) return false;
    const OnnxNode* const joined = MakerOf(node->inputs[0], "Concat", 2);
    if (joined == nullptr) return false;
    const std::map<std::string, std::string> names = NamesIn(*joined);
    if (names.empty() || Formula(joined->outputs[0], names, 0) != Wanted()) return false;
    std::vector<std::string> inputs(2);
    for (const auto& [value, name] : names) {
      if (name == "x") inputs[0] = value;
      if (name == "epsilon") inputs[1] = value;
    }
    const OnnxNode* const wide = MakerOf(inputs[0], "Cast", 1);  // to float64
    if (wide != nullptr) inputs[0] = wide->inputs[0];
    node->op = kInstanceStatistics;
    node->inputs = std::move(inputs);
    node->attributes.clear();
    return true;
  }

  void LeaveOutUnread() {
    std::set<std::string> read;
    for (const OnnxValue& output : graph_.outputs) read.insert(output.name);
    std::vector<OnnxNode> kept;
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      const auto is_read = [&](const std::string& output) { return read.count(output) > 0; };
      const bool branches = std::any_of(node->attributes.begin(), node->attributes.end(),
                                        [](const auto& each) { return each.second.graph != nullptr; });
      if (branches) return;  // what they read is not known here
      if (std::none_of(node->outputs.begin(), node->outputs.end(), is_read)) continue;
      read.insert(node->inputs.begin(), node->inputs.end());
      kept.push_back(*node);
    }
    std::reverse(kept.begin(), kept.end());
    graph_.nodes = std::move(kept);
  }

  OnnxGraph& graph_;
  std::map<std::string, const OnnxNode*> makers_;  // of each value
};

}  // namespace

void JoinInstanceStatistics(OnnxGraph* graph) { StatisticsJoiner(graph).Join(); }

void RunInstanceStatistics(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto epsilon = call.ConstantInput(1, "epsilon");
  if (!call.ok()) return;
  if (in.constant() || in.rank() != 3 || epsilon->size() != 1) return call.Refuse("is of a constant");
  const auto roles = call.tracer().Roles(call.named(), in, {1});
  if (!roles.has_value()) return;
  if (roles->time_axis != 0 || roles->first_time != 0 || roles->times != call.tracer().timesteps())
    return call.Refuse("sums over something else than all timesteps so far");
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  call.GiveValue(AddInstanceStatistics(call.graph(), call.element_name(), value, epsilon->values[0]),
                 {in.shape[0], 2 * in.shape[1], 1}, *roles);
}

}  // namespace rondo::convert
