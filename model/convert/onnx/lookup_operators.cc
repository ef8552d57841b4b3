// Numbers that are found, or put, at places that other numbers say.

#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// Whole numbers that were made of an input's floats are looked up as that input.
Traced TokensOf(OperatorCall& call, Traced indices) {
  for (Ref& ref : indices.refs) {
    const auto made = call.run().tokens.find(ref.source);
    if (made != call.run().tokens.end()) ref.source = made->second;
  }
  return indices;
}

void RunGather(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const Traced indices = TokensOf(call, call.Needed(1));
  const int64_t axis = call.Axis(call.Whole("axis", 0), in.rank());
  if (!call.ok()) return;
  if (!indices.constant()) {
    if (!in.constant() || in.rank() != 2 || axis != 0) {
      return call.Refuse("looks up by data something else than a table of constants");
    }
    const auto roles = call.tracer().Roles(call.named(), indices);
    if (!roles.has_value()) return;
    const Value tokens = call.tracer().FrameOf(call.named(), indices, *roles);
    if (!call.ok()) return;
    if (tokens.name != "input" || tokens.frame.size() != 1)
      return call.Refuse("looks up something else than the input");
    call.graph()->SetTokens(in.shape[0]);
    const Value value = AddEmbedding(call.graph(), call.element_name(), tokens, ToArray(in));
    Sizes shape = indices.shape;
    shape.push_back(in.shape[1]);
    AxisRoles out = *roles;
    out.frame_axes = {static_cast<int64_t>(shape.size()) - 1};
    call.GiveValue(value, shape, out);
    if (in.whole && call.ok() && call.outputs().back().size() > 0)
      call.run().wholes.insert(call.outputs().back().At(0).source);
    return;
  }
  Sizes kept;
  for (const double value : indices.constants) {
    const int64_t index = value < 0 ? static_cast<int64_t>(value) + in.shape[axis] : static_cast<int64_t>(value);
    if (index < 0 || index >= in.shape[axis])
      return call.Refuse(absl::StrCat("gathers place ", value, " of ", in.shape[axis]));
    kept.push_back(index);
  }
  Traced result = Kept(in, axis, kept);
  result.shape.erase(result.shape.begin() + axis);
  result.shape.insert(result.shape.begin() + axis, indices.shape.begin(), indices.shape.end());
  call.Give(std::move(result));
}

// Where in the flat order of the data the row of updates goes that `index` names: a place on each of the first axes.
// Nullopt after a refusal.
std::optional<int64_t> RowAt(OperatorCall& call, const Sizes& shape, const double* index, int64_t axes) {
  const Sizes strides = StridesOf(shape);
  int64_t at = 0;
  for (int64_t axis = 0; axis < axes; ++axis) {
    const auto place = static_cast<int64_t>(index[axis]);
    const int64_t from_front = place < 0 ? place + shape[axis] : place;
    if (from_front < 0 || from_front >= shape[axis]) {
      call.Refuse(absl::StrCat("puts numbers at place ", place, " of ", shape[axis]));
      return std::nullopt;
    }
    at += from_front * strides[axis];
  }
  return at;
}

// The data with rows of it replaced, as an assignment to a part of a tensor is written.
void RunScatterNd(OperatorCall& call) {
  const Traced &data = call.Needed(0), &indices = call.NeededConstant(1, "places"), &updates = call.Needed(2);
  if (call.Text("reduction", "none") != "none") return call.Refuse("adds to what is there; replacing it is supported");
  if (!call.ok()) return;
  const int64_t axes = indices.rank() == 0 ? 0 : indices.shape.back();
  if (axes < 1 || axes > data.rank()) return call.Refuse(absl::StrCat("has places on ", axes, " axes"));
  const int64_t rows = indices.size() / axes, width = StridesOf(data.shape)[axes - 1];
  if (updates.size() != rows * width)
    return call.Refuse(absl::StrCat("puts ", updates.size(), " numbers at ", rows, " places of ", width, " each"));
  std::vector<Ref> refs;
  for (int64_t i = 0; i < data.size(); ++i) refs.push_back(data.At(i));
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = RowAt(call, data.shape, &indices.constants[row * axes], axes);
    if (!at.has_value()) return;
    for (int64_t i = 0; i < width; ++i) refs[*at + i] = updates.At(row * width + i);
  }
  call.Give(FromRefs(data.shape, std::move(refs)));
  call.outputs().back().whole = data.whole && updates.whole;
}

}  // namespace

const Operators& LookupOperators() {
  static const auto& operators = *new Operators{
      {"Gather", RunGather},
      {"ScatterND", RunScatterNd},
  };
  return operators;
}

}  // namespace rondo::convert
