#include "model/convert/onnx/input_plans.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/convert/onnx/state_names.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr size_t kMaxInputRank = 5;

// The axis of a state that is left open, where there is one such: that of the sequences. -1: none, or several.
int64_t OnlyOpenAxis(const OnnxValue& state) {
  int64_t only = -1;
  for (int64_t axis = 0; axis < static_cast<int64_t>(state.shape.size()); ++axis) {
    if (state.shape[axis].size >= 0) continue;
    if (only >= 0) return -1;
    only = axis;
  }
  return only;
}

// Tells whether a dimension's name says nothing: it has none, or one that a converter made up (tf2onnx: unk__7).
bool IsUnnamed(const OnnxDimension& dimension) {
  return dimension.name.empty() || absl::StartsWith(dimension.name, "unk__");
}

// The axes of another input: those whose open sizes have the same names; where these say nothing, the same places if it
// has as many axes; or, where nothing is open, the same places if it has as many timesteps there.
InputAxes AxesOf(const OnnxValue& input, const OnnxValue& first, const InputAxes& axes) {
  InputAxes own;
  bool open = false;
  for (int64_t axis = 0; axis < static_cast<int64_t>(input.shape.size()); ++axis) {
    const OnnxDimension& dimension = input.shape[axis];
    const auto is = [&](int64_t place) {
      if (place < 0 || dimension.size >= 0 || first.shape[place].size >= 0) return false;
      const bool unnamed = IsUnnamed(dimension) && IsUnnamed(first.shape[place]);
      if (unnamed && place == axis && input.shape.size() == first.shape.size()) return true;
      return !dimension.name.empty() && first.shape[place].name == dimension.name;
    };
    open = open || dimension.size < 0;
    if (is(axes.time)) own.time = axis;
    if (is(axes.batch) || (dimension.size < 0 && IsBatchName(dimension))) own.batch = axis;
  }
  const auto as_wide = [&](int64_t axis) { return axis < 0 || input.shape[axis].size == first.shape[axis].size; };
  const bool alike = !open && input.shape.size() == first.shape.size() && as_wide(axes.time) && as_wide(axes.batch);
  return alike ? axes : own;
}

}  // namespace

std::string NameOf(const OnnxValue& input, size_t axis) {
  return input.shape[axis].name.empty() ? absl::StrCat(input.name, ".", axis) : input.shape[axis].name;
}

// The numbers of timesteps of sequences, beside the sequences, are no data; nor is one number for all timesteps.
bool InputPlans::IsData(const OnnxValue& input) const {
  return options_.initializers.count(input.name) == 0 && states_.count(input.name) == 0 && !input.shape.empty() &&
         !IsOfLengths(graph_, input, states_);
}

const OnnxValue* InputPlans::FirstData() const {
  for (const OnnxValue& input : graph_.inputs) {
    if (IsData(input)) return &input;
  }
  return nullptr;
}

// A state has no axis of timesteps.
InputAxes InputPlans::OwnAxes(const OnnxValue& input, const OnnxValue& first, const InputAxes& axes) const {
  InputAxes own = &input == &first ? axes : AxesOf(input, first, axes);
  if (states_.count(input.name) == 0) return own;
  return {-1, own.batch < 0 ? OnlyOpenAxis(input) : own.batch};
}

// The shape of an input whose open dimensions are those of timesteps and sequences.
absl::StatusOr<std::vector<int64_t>> InputPlans::ShapeOf(const OnnxValue& input, const InputAxes& own,
                                                         int64_t timesteps, int64_t batch) const {
  std::vector<int64_t> shape;
  for (int64_t axis = 0; axis < static_cast<int64_t>(input.shape.size()); ++axis) {
    const OnnxDimension& dimension = input.shape[axis];
    const bool open = dimension.size < 0;
    if (open && axis != own.time && axis != own.batch) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", axis, " of input ", Quoted(input.name),
                       " is open; say its size with --dimension=", NameOf(input, static_cast<size_t>(axis)), "=N"));
    }
    shape.push_back(!open ? dimension.size : axis == own.time ? timesteps : batch);
  }
  if (shape.size() <= kMaxInputRank && SizeOf(shape).value_or(kMaxTraced + 1) <= kMaxTraced) return shape;
  return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(input.name), " has the shape ", ShapeText(shape)));
}

absl::StatusOr<RunPlan> InputPlans::PlanOf(const OnnxValue& first, const InputAxes& axes,
                                           const ProbeSizes& sizes) const {
  RunPlan plan;
  plan.states = states_;
  // A state is of as many sequences as the first input has.
  const int64_t said = axes.batch < 0 ? 1 : first.shape[axes.batch].size;
  if (axes.time >= 0) plan.timesteps = first.shape[axes.time].size >= 0 ? first.shape[axes.time].size : sizes.timesteps;
  if (plan.timesteps < 1)
    return absl::InvalidArgumentError(absl::StrCat("input ", Quoted(first.name), " has no timesteps"));
  for (const OnnxValue& input : graph_.inputs) {
    if (options_.initializers.count(input.name) > 0) continue;
    const InputAxes own = OwnAxes(input, first, axes);
    const int64_t batch = said >= 0 && states_.count(input.name) > 0 ? said : sizes.batch;
    plan.axes[input.name] = own;
    absl::StatusOr<std::vector<int64_t>> shape = ShapeOf(input, own, plan.timesteps, batch);
    if (!shape.ok()) return shape.status();
    if (own.time >= 0 && (*shape)[own.time] != plan.timesteps) {
      return absl::InvalidArgumentError(
          absl::StrCat("input ", Quoted(input.name), " has other timesteps than ", Quoted(first.name)));
    }
    plan.shapes[input.name] = *std::move(shape);
  }
  return plan;
}

const OnnxDimension* InputPlans::OpenBatch(const OnnxValue& first, const InputAxes& axes) const {
  for (const OnnxValue& input : graph_.inputs) {
    if (options_.initializers.count(input.name) > 0) continue;
    const int64_t batch = OwnAxes(input, first, axes).batch;
    if (batch >= 0 && input.shape[batch].size < 0) return &input.shape[batch];
  }
  return nullptr;
}

std::string InputPlans::TextOfData(const InputAxes& axes) const {
  std::vector<std::string> texts;
  int64_t from = 0;
  for (const OnnxValue& input : graph_.inputs) {
    if (!IsData(input)) continue;
    const InputAxes own = texts.empty() ? axes : AxesOf(input, *FirstData(), axes);
    int64_t width = 1;
    for (int64_t axis = 0; axis < static_cast<int64_t>(input.shape.size()); ++axis) {
      if (axis != own.time && axis != own.batch) width *= input.shape[axis].size;
    }
    texts.push_back(absl::StrCat(Quoted(input.name), " is numbers ", from, " to ", from + width - 1));
    from += width;
  }
  if (texts.size() < 2) return "";
  return absl::StrCat("a timestep reads several inputs: ", absl::StrJoin(texts, ", "),
                      "; one that is a state is said with --state=IN:OUT");
}

}  // namespace rondo::convert
