#ifndef RONDO_MODEL_NETWORK_GRAPH_H_
#define RONDO_MODEL_NETWORK_GRAPH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/network/element.h"
#include "nlohmann/json.hpp"

namespace rondo {

// One element of a graph and its place there.
struct GraphNode {  // NOLINT(bugprone-exception-escape): moving a Json value only asserts
  static constexpr size_t kInput = static_cast<size_t>(-1);

  std::string name;
  std::string type;
  std::vector<size_t> inputs;  // indices of earlier nodes, or kInput
  size_t next = kInput;        // the node whose answer is the next state, see Element::next; kInput: there is none
  std::shared_ptr<const Element> element;
  size_t state_offset = 0;  // of its part of a session's state
  size_t first_slot = 0;    // of its weights among those of the graph
  // The timesteps that it answers for: 0 those of the input, n those that the n-th element with windows makes. An
  // element of constants has kAnyClock.
  static constexpr size_t kAnyClock = static_cast<size_t>(-1);
  size_t clock = 0;
  nlohmann::ordered_json attributes;
};

// The elements of a network in an order that can run. Their states stand one after the other. Immutable; any thread.
class Graph {
 public:
  static constexpr int64_t kMaxElements = 512;
  // Floats of one row that a description may announce: of all answers together, and of a session's state.
  static constexpr int64_t kMaxFloats = int64_t{1} << 20;

  struct Input {
    int64_t width = 1;
    int64_t tokens = 0;  // > 0: the input is one token id
  };

  // `elements`: the array of a description. `output`: the name of the element whose answer is the network's.
  // INVALID_ARGUMENT: names the element, what came and what was wanted.
  static absl::StatusOr<std::shared_ptr<const Graph>> Read(const nlohmann::json& elements, const Input& input,
                                                           absl::string_view output);

  const std::vector<GraphNode>& nodes() const { return nodes_; }
  const Input& input() const { return input_; }
  size_t output() const { return output_; }  // an index of nodes()
  int64_t output_size() const { return nodes_[output_].element->output().size(); }
  size_t num_slots() const { return num_slots_; }  // tensors of weights
  // Floats of a session's state; 0 if the network is whole_sequence.
  int64_t state_size() const { return whole_sequence_ ? 0 : element_state_size_; }
  // Floats of the states of all elements.
  int64_t element_state_size() const { return element_state_size_; }
  int64_t row_floats() const { return row_floats_; }
  double products() const { return products_; }
  // Needs whole sequences: it can't step.
  bool whole_sequence() const { return whole_sequence_; }
  // The elements with windows, in order: clock n is made by the n-th.
  const std::vector<size_t>& clock_makers() const { return clock_makers_; }
  // The element that makes it so, for a message.
  const std::string& whole_sequence_element() const { return whole_sequence_element_; }

  // What Read takes: elements and the output's name.
  nlohmann::ordered_json ElementsJson() const;
  const std::string& output_name() const { return nodes_[output_].name; }

  // The values of node `index` among `tensors`, which has one a slot of each node, in order.
  SlotValues WeightsOf(size_t index, absl::Span<const std::vector<float>> tensors) const {
    return tensors.subspan(nodes_[index].first_slot, nodes_[index].element->slots().size());
  }

 private:
  Graph() = default;
  void ReadNode(const nlohmann::json& json, absl::Status* status);
  std::vector<size_t> ReadInputs(const nlohmann::json* of, absl::string_view where, absl::Status* status) const;
  // Says which timesteps the node answers for; its inputs must agree on theirs.
  void SetClock(GraphNode* node, absl::Status* status);
  size_t ClockOf(size_t input) const { return input == GraphNode::kInput ? 0 : nodes_[input].clock; }
  // Finds the elements whose answers are the next states of others.
  void FindNext(absl::Status* status);
  // Checks what the new node announces, and counts it.
  void Add(GraphNode node, absl::Status* status);
  std::string NameOf(size_t node) const { return node == GraphNode::kInput ? "input" : nodes_[node].name; }

  Input input_;
  std::vector<GraphNode> nodes_;
  size_t output_ = 0;
  int64_t element_state_size_ = 0;
  int64_t row_floats_ = 0;
  double products_ = 0;
  bool whole_sequence_ = false;
  std::string whole_sequence_element_;
  size_t num_slots_ = 0;
  std::vector<size_t> clock_makers_;
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_GRAPH_H_
