#ifndef RONDO_MODEL_CONVERT_GRAPH_ELEMENT_GRAPH_H_
#define RONDO_MODEL_CONVERT_GRAPH_ELEMENT_GRAPH_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "model/convert/graph/array.h"
#include "nlohmann/json.hpp"

namespace rondo::convert {

using Json = nlohmann::ordered_json;

// What an element gives at one timestep: `channels` rows of `length` values.
struct Frame {
  int64_t channels = 0;
  int64_t length = 1;

  int64_t size() const { return channels * length; }
};

// What an element, or the input, gives, for the elements after it.
struct Value {
  std::string name;
  Frame frame;
};

// One element of a network, as the model file of format 2 describes it.
struct Element {
  std::string name, type;
  std::vector<std::string> of;
  Json attributes = Json::object();  // the keys of the description besides name, type and of
  std::vector<std::pair<std::string, Array>> slots;
  Frame frame;
  int64_t state_floats = 0;
  std::string origin;  // the node of the source that it was made for, as a message names it; may be empty

  int64_t parameters() const;
};

// The network that a file is read into: the elements in an order that can run. The graph of every kind of source meets
// here, and the model file is written from it.
//
// The first rule that is broken stands in `status()`; after it nothing that is added matters, so a reader adds all and
// looks at the status once. A value that follows a refusal has no channels, and whatever takes it is refused quietly.
class ElementGraph {
 public:
  // Sets what the network reads at a timestep: `size` numbers, or the number of a token below `tokens`.
  Value SetInput(int64_t size);
  Value SetTokens(int64_t tokens);

  // Adds the element under a name that is made from `element.name` and unique. Returns what it gives.
  Value Add(Element element);
  // Names the node of the source that the next elements are made for.
  void SetOrigin(std::string origin) { origin_ = std::move(origin); }
  void SetOutput(Value output) { output_ = std::move(output); }

  // INVALID_ARGUMENT; only the first is kept.
  void Refuse(absl::string_view message);
  const absl::Status& status() const { return status_; }
  // Takes keys of the description that say nothing of the elements: names, calendar, feedback ... They are written as
  // they are, in place of what would be written.
  void SetDescription(Json description) { description_ = std::move(description); }
  const Json& description() const { return description_; }
  // Says a thing that was left out or assumed; printed beneath the table.
  void Note(std::string note);

  std::vector<Element>& elements() { return elements_; }
  const std::vector<Element>& elements() const { return elements_; }
  const Element* Find(absl::string_view name) const;
  const std::vector<std::string>& notes() const { return notes_; }
  const Value& output() const { return output_; }
  int64_t input_size() const { return input_size_; }
  int64_t tokens() const { return tokens_; }
  int64_t state_floats() const;
  // True: an element needs timesteps that have not come yet, so that only whole sequences can be predicted.
  bool whole_sequence() const;

 private:
  std::string UniqueName(absl::string_view wanted);

  std::vector<Element> elements_;
  std::set<std::string> names_;
  std::map<std::string, int> repeats_;  // how often a name was wanted again
  std::vector<std::string> notes_;
  std::string origin_;
  Json description_ = Json::object();
  Value output_;
  int64_t input_size_ = 0, tokens_ = 0, parameters_ = 0;
  absl::Status status_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_ELEMENT_GRAPH_H_
