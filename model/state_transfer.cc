#include "model/state_transfer.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "model/network_kernels.h"

namespace rondo {
namespace {

// What one element keeps of a session.
struct StatePart {
  std::string name;
  std::string type;
  size_t offset = 0;
  size_t size = 0;
};

std::vector<StatePart> PartsOf(const ModelSpec& spec) {
  const std::shared_ptr<const Graph> graph = spec.graph == nullptr ? GraphOfStack(spec) : spec.graph;
  std::vector<StatePart> parts;
  for (const GraphNode& node : graph->nodes()) {
    const auto size = static_cast<size_t>(node.element->state_size());
    if (size > 0) parts.push_back({node.name, node.type, node.state_offset, size});
  }
  return parts;
}

const StatePart* Find(const std::vector<StatePart>& parts, absl::string_view name) {
  const auto found = std::find_if(parts.begin(), parts.end(), [&](const StatePart& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

std::string Shown(const StatePart& part) {
  return absl::StrCat("'", part.name, "' (", part.type, ", ", part.size, part.size == 1 ? " number)" : " numbers)");
}

std::string Shown(const std::vector<StatePart>& parts) {
  std::string shown;
  for (const StatePart& part : parts) absl::StrAppend(&shown, shown.empty() ? "" : ", ", Shown(part));
  return shown.empty() ? "no element with a state" : shown;
}

absl::Status NotThere(absl::string_view name, const Model& model, const std::vector<StatePart>& parts) {
  return absl::FailedPreconditionError(
      absl::StrCat("the state has to fit element '", name, "', and model '", model.name, "' has ", Shown(parts)));
}

// INVALID_ARGUMENT: `names` are more than the elements of `to`, or one of them comes twice.
absl::Status CheckNames(absl::Span<const absl::string_view> names, const Model& to,
                        const std::vector<StatePart>& targets) {
  if (names.size() > targets.size()) {
    return Invalid(names.size(), " elements are named; model '", to.name, "' has ", targets.size(), ": ",
                   Shown(targets));
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) == name) continue;
    return Invalid("element '", *name, "' is named twice; wanted each name once");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TransferState(const Model& from, absl::Span<const float> state, const Model& to,
                           absl::Span<const absl::string_view> names, absl::Span<float> result) {
  const std::vector<StatePart> sources = PartsOf(from.spec());
  const std::vector<StatePart> targets = PartsOf(to.spec());
  if (absl::Status status = CheckNames(names, to, targets); !status.ok()) return status;
  std::vector<absl::string_view> taken(names.begin(), names.end());
  if (taken.empty()) {
    for (const StatePart& target : targets) taken.push_back(target.name);
    for (const StatePart& source : sources) {
      if (Find(targets, source.name) == nullptr) return NotThere(source.name, to, targets);
    }
  }
  for (const absl::string_view name : taken) {
    const StatePart* const source = Find(sources, name);
    if (source == nullptr) return NotThere(name, from, sources);
    const StatePart* const target = Find(targets, name);
    if (target == nullptr) return NotThere(name, to, targets);
    if (source->type != target->type || source->size != target->size) {
      return absl::FailedPreconditionError(absl::StrCat("the state is of element ", Shown(*source), " of model '",
                                                        from.name, "'; model '", to.name, "' has ", Shown(*target)));
    }
    std::copy_n(state.begin() + static_cast<std::ptrdiff_t>(source->offset), source->size,
                result.begin() + static_cast<std::ptrdiff_t>(target->offset));
  }
  return absl::OkStatus();
}

}  // namespace rondo
