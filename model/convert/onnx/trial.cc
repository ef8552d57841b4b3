#include "model/convert/onnx/trial.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace rondo::convert {
namespace {

bool AreEqual(const Element& a, const Element& b) {
  const auto same_slot = [](const auto& one, const auto& other) {
    return one.first == other.first && one.second.shape == other.second.shape &&
           one.second.values == other.second.values;
  };
  return a.name == b.name && a.type == b.type && a.of == b.of && a.attributes == b.attributes &&
         a.frame.channels == b.frame.channels && a.frame.length == b.frame.length &&
         std::equal(a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(), same_slot);
}

absl::Status Refusal(absl::string_view what, absl::string_view does, absl::string_view dimension) {
  return absl::InvalidArgumentError(absl::StrCat(what, " ", does, " the size of ", dimension,
                                                 ", which the graph leaves open; a size that only shapes "
                                                 "follow from is supported"));
}

}  // namespace

absl::Status CheckSizeIsNotUsed(const Trial& trial, const Trial& other, absl::string_view dimension) {
  const size_t decisions = std::min(trial.decisions.size(), other.decisions.size());
  for (size_t i = 0; i < decisions; ++i) {
    const Decision &a = trial.decisions[i], &b = other.decisions[i];
    if (a.node != b.node || a.numbers != b.numbers) return Refusal(a.node, "decides by", dimension);
  }
  const std::vector<Element>&elements = trial.graph.elements(), &others = other.graph.elements();
  for (size_t i = 0; i < std::min(elements.size(), others.size()); ++i) {
    if (!AreEqual(elements[i], others[i])) return Refusal(elements[i].origin, "uses as a number", dimension);
  }
  const bool same = elements.size() == others.size() && trial.decisions.size() == other.decisions.size() &&
                    trial.graph.output().name == other.graph.output().name &&
                    trial.graph.input_size() == other.graph.input_size() &&
                    trial.graph.tokens() == other.graph.tokens() && trial.graph.notes() == other.graph.notes();
  return same ? absl::OkStatus() : Refusal("the graph's output", "depends on", dimension);
}

}  // namespace rondo::convert
