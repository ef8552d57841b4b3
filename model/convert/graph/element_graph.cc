#include "model/convert/graph/element_graph.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

constexpr size_t kMaxElements = 4096;
constexpr int64_t kMaxParameters = int64_t{1} << 29;
constexpr size_t kMaxNameBytes = 56;  // the format takes 64; a number may follow

}  // namespace

int64_t Element::parameters() const {
  return std::accumulate(slots.begin(), slots.end(), int64_t{0},
                         [](int64_t sum, const auto& slot) { return sum + slot.second.size(); });
}

Value ElementGraph::SetInput(int64_t size) {
  input_size_ = size;
  return {"input", {size, 1}};
}

Value ElementGraph::SetTokens(int64_t tokens) {
  tokens_ = tokens;
  return {"input", {1, 1}};
}

std::string ElementGraph::UniqueName(absl::string_view wanted) {
  std::string name(wanted.substr(wanted.size() > kMaxNameBytes ? wanted.size() - kMaxNameBytes : 0));
  for (char& letter : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(letter))) letter = '_';
  }
  name.erase(0, name.find_first_not_of('_'));
  if (name.empty() || name == "input") name = "element";
  std::string unique = name;
  while (!names_.insert(unique).second) unique = absl::StrCat(name, "_", ++repeats_[name] + 1);
  return unique;
}

Value ElementGraph::Add(Element element) {
  if (elements_.size() == kMaxElements) Refuse(absl::StrCat("the network has more than ", kMaxElements, " elements"));
  // A node of a few bytes can stand for a matrix of many numbers.
  parameters_ += element.parameters();
  if (parameters_ > kMaxParameters)
    Refuse(absl::StrCat("the network has more than ", kMaxParameters, " parameters at '", element.name, "'"));
  if (!status_.ok()) return {};
  element.name = UniqueName(element.name);
  element.origin = origin_;
  elements_.push_back(std::move(element));
  return {elements_.back().name, elements_.back().frame};
}

void ElementGraph::Refuse(absl::string_view message) {
  if (status_.ok()) status_ = absl::InvalidArgumentError(message);
}

void ElementGraph::Note(std::string note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(std::move(note));
}

const Element* ElementGraph::Find(absl::string_view name) const {
  const auto found =
      std::find_if(elements_.begin(), elements_.end(), [&](const Element& element) { return element.name == name; });
  return found == elements_.end() ? nullptr : &*found;
}

int64_t ElementGraph::state_floats() const {
  return std::accumulate(elements_.begin(), elements_.end(), int64_t{0},
                         [](int64_t sum, const Element& element) { return sum + element.state_floats; });
}

bool ElementGraph::whole_sequence() const {
  return std::any_of(elements_.begin(), elements_.end(), [](const Element& element) {
    const auto direction = element.attributes.find("direction"), ahead = element.attributes.find("ahead");
    const bool backward = direction != element.attributes.end() && *direction == "reverse";
    return (backward && element.type != "frame_cell") || (ahead != element.attributes.end() && *ahead != 0) ||
           element.type.rfind("sequence_", 0) == 0;
  });
}

}  // namespace rondo::convert
