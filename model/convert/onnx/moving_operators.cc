// Operators that only move numbers. They move constants and refs alike, so that they fold constants too.

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

void Reshape(OperatorCall& call, Sizes shape) {
  const Traced& in = call.Needed(0);
  int64_t known = 1, open = -1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && call.Whole("allowzero", 0) == 0) shape[i] = i < in.shape.size() ? in.shape[i] : 0;
    if (shape[i] == -1 && open < 0) {
      open = static_cast<int64_t>(i);
    } else if (shape[i] < 0 || __builtin_mul_overflow(known, shape[i], &known)) {
      return call.Refuse(absl::StrCat("makes the shape ", ShapeText(shape)));
    }
  }
  if (open >= 0) shape[open] = known == 0 ? 0 : in.size() / known;
  if (SizeOf(shape).value_or(-1) != in.size()) {
    return call.Refuse(absl::StrCat("makes ", ShapeText(shape), " of ", ShapeText(in.shape)));
  }
  Traced out = in;
  out.shape = std::move(shape);
  call.Give(std::move(out));
}

void RunReshape(OperatorCall& call) {
  const auto shape = call.WholesOf("shape", 1);
  if (call.ok()) Reshape(call, shape.value_or(Sizes{}));
}

void RunFlatten(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Whole("axis", 1) == in.rank() ? in.rank() : call.Axis(call.Whole("axis", 1), in.rank());
  if (!call.ok()) return;
  const int64_t rows = SizeOf(absl::MakeConstSpan(in.shape).subspan(0, axis)).value_or(0);
  Reshape(call, {rows, rows == 0 ? 0 : in.size() / rows});
}

void RunSqueeze(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto axes = call.WholesOf("axes", 1);
  if (!call.ok()) return;
  Sizes out;
  std::vector<bool> dropped(in.shape.size(), false);
  for (const int64_t each : axes.value_or(Sizes{})) {
    const int64_t axis = call.Axis(each, in.rank());
    if (axis < 0) return;
    if (in.shape[axis] != 1) return call.Refuse(absl::StrCat("squeezes an axis of ", in.shape[axis]));
    dropped[axis] = true;
  }
  for (size_t i = 0; i < in.shape.size(); ++i) {
    if (!dropped[i] && (axes.has_value() || in.shape[i] != 1)) out.push_back(in.shape[i]);
  }
  Traced result = in;
  result.shape = out;
  call.Give(std::move(result));
}

void RunUnsqueeze(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto axes = call.WholesOf("axes", 1);
  if (!call.ok()) return;
  const int64_t rank = in.rank() + static_cast<int64_t>(axes.value_or(Sizes{}).size());
  if (rank > 8) return call.Refuse(absl::StrCat("makes a tensor of ", rank, " dimensions; at most 8 are read"));
  std::vector<bool> added(rank, false);
  for (const int64_t each : axes.value_or(Sizes{})) {
    const int64_t axis = call.Axis(each, rank);
    if (axis < 0) return;
    if (added[axis]) return call.Refuse("adds an axis twice");
    added[axis] = true;
  }
  Traced out = in;
  out.shape.clear();
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i) out.shape.push_back(added[i] ? 1 : in.shape[next++]);
  call.Give(std::move(out));
}

void RunTranspose(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  Sizes order = call.Wholes("perm").value_or(Sizes{});
  if (order.empty()) {
    for (int64_t i = in.rank(); i-- > 0;) order.push_back(i);
  }
  Sizes sorted = order, wanted(in.shape.size());
  std::sort(sorted.begin(), sorted.end());
  std::iota(wanted.begin(), wanted.end(), 0);
  if (sorted != wanted) return call.Refuse(absl::StrCat("has the perm ", ShapeText(order)));
  const Sizes strides = StridesOf(in.shape);
  Sizes shape, places;
  for (const int64_t axis : order) shape.push_back(in.shape[axis]);
  ForEachPlace(shape, [&](const Sizes& place) {
    int64_t at = 0;
    for (size_t i = 0; i < place.size(); ++i) at += place[i] * strides[order[i]];
    places.push_back(at);
  });
  call.Give(Moved(in, std::move(shape), places));
}

void RunSlice(OperatorCall& call) {
  Traced result = call.Needed(0);
  const auto starts = call.WholesOf("starts", 1), ends = call.WholesOf("ends", 2), axes = call.WholesOf("axes", 3),
             steps = call.WholesOf("steps", 4);
  if (!call.ok()) return;
  if (!starts.has_value() || !ends.has_value() || starts->size() != ends->size() ||
      (axes.has_value() && axes->size() != starts->size()) || (steps.has_value() && steps->size() != starts->size())) {
    return call.Refuse("has starts, ends, axes and steps of different lengths");
  }
  for (size_t i = 0; i < starts->size(); ++i) {
    const int64_t axis = call.Axis(axes.has_value() ? (*axes)[i] : static_cast<int64_t>(i), result.rank());
    const int64_t step = steps.has_value() ? (*steps)[i] : 1;
    if (!call.ok()) return;
    if (step == 0) return call.Refuse("steps by 0");
    const int64_t size = result.shape[axis];
    const auto bounded = [&](int64_t at) {
      constexpr int64_t kEnd = int64_t{1} << 30;  // what is beyond says "to the end"
      const bool cut = at > size || at < -size;
      if (cut && at < kEnd && at > -kEnd) call.Decide({static_cast<double>(at), static_cast<double>(size)});
      if (at < 0) at += size;
      return std::min(std::max<int64_t>(at, step < 0 ? -1 : 0), step < 0 ? size - 1 : size);
    };
    Sizes kept;
    const int64_t end = bounded((*ends)[i]);
    for (int64_t at = bounded((*starts)[i]); step > 0 ? at < end : at > end;) {
      kept.push_back(at);
      if (__builtin_add_overflow(at, step, &at)) break;
    }
    result = Kept(result, axis, kept);
  }
  call.Give(std::move(result));
}

void RunSplit(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", 0), in.rank());
  auto sizes = call.WholesOf("split", 1);
  if (!call.ok()) return;
  const int64_t parts = static_cast<int64_t>(call.node().outputs.size());
  if (!sizes.has_value()) {
    const int64_t each = (in.shape[axis] + parts - 1) / parts;
    sizes.emplace(parts, each);
    sizes->back() = in.shape[axis] - each * (parts - 1);
  }
  int64_t from = 0;
  for (const int64_t size : *sizes) {
    if (size < 0 || size > in.shape[axis] - from) return call.Refuse("splits an axis into more than it has");
    Sizes kept(size);
    std::iota(kept.begin(), kept.end(), from);
    call.Give(Kept(in, axis, kept));
    from += size;
  }
}

void RunConcat(OperatorCall& call) {
  const Traced& first = call.Needed(0);
  const int64_t axis = call.Axis(call.Whole("axis", 0), first.rank());
  if (!call.ok()) return;
  Sizes shape = first.shape;
  shape[axis] = 0;
  std::vector<std::pair<size_t, int64_t>> origin;  // of each place on the axis: which input, and where there
  for (size_t i = 0; i < call.input_count(); ++i) {
    const Traced& part = call.Needed(i);
    Sizes other = part.shape;
    if (!call.ok() || other.size() != shape.size()) return call.Refuse("joins tensors of different ranks");
    other[axis] = shape[axis];
    if (other != shape)
      return call.Refuse(absl::StrCat("joins ", ShapeText(first.shape), " and ", ShapeText(part.shape)));
    for (int64_t at = 0; at < part.shape[axis]; ++at) origin.emplace_back(i, at);
    shape[axis] += part.shape[axis];
    if (!SizeOf(shape).has_value()) return call.Refuse("joins too many numbers");
  }
  std::vector<Sizes> strides;
  for (size_t i = 0; i < call.input_count(); ++i) strides.push_back(StridesOf(call.Input(i)->shape));
  std::vector<Ref> refs;
  const bool whole = first.whole;
  ForEachPlace(shape, [&](const Sizes& place) {
    const auto [input, from] = origin[place[axis]];
    int64_t at = 0;
    for (size_t i = 0; i < place.size(); ++i) {
      at += (static_cast<int64_t>(i) == axis ? from : place[i]) * strides[input][i];
    }
    refs.push_back(call.Input(input)->At(at));
  });
  call.Give(FromRefs(std::move(shape), std::move(refs)));
  call.outputs().back().whole = whole;
}

// Turns the first so many places of an axis round, for each sequence of a batch: here all of them.
void RunReverseSequence(OperatorCall& call) {
  const Traced &in = call.Needed(0), &lengths = call.NeededConstant(1, "lengths");
  const int64_t axis = call.Axis(call.Whole("time_axis", 0), in.rank());
  call.Whole("batch_axis", 1);
  if (!call.ok()) return;
  const int64_t size = in.shape[axis];
  for (const double length : lengths.constants) {
    if (length != static_cast<double>(size))
      return call.Refuse(absl::StrCat("turns ", length, " of ", size, " places round; all of them is supported"));
  }
  Sizes turned(static_cast<size_t>(size));
  std::iota(turned.rbegin(), turned.rend(), 0);
  call.Give(Kept(in, axis, turned));
}

void RunTile(OperatorCall& call) {
  Traced result = call.Needed(0);
  const auto repeats = call.WholesOf("repeats", 1);
  if (!call.ok()) return;
  if (!repeats.has_value() || repeats->size() != result.shape.size()) return call.Refuse("has no repeat for each axis");
  for (int64_t axis = 0; axis < result.rank(); ++axis) {
    Sizes shape = result.shape;
    if (__builtin_mul_overflow(shape[axis], (*repeats)[axis], &shape[axis])) return call.Refuse("repeats too often");
    if (!call.CanHold(shape)) return;
    Sizes kept;
    for (int64_t i = 0; i < shape[axis]; ++i) kept.push_back(i % result.shape[axis]);
    result = Kept(result, axis, kept);
  }
  call.Give(std::move(result));
}

void RunSame(OperatorCall& call) { call.Give(call.Needed(0)); }

void RunDropout(OperatorCall& call) {
  call.graph()->Note(absl::StrCat(call.named(), ": left out; it does nothing in a trained network"));
  RunSame(call);
}

}  // namespace

const Operators& MovingOperators() {
  static const auto& operators = *new Operators{
      {"Concat", RunConcat}, {"Dropout", RunDropout},     {"Flatten", RunFlatten},
      {"Identity", RunSame}, {"Reshape", RunReshape},     {"ReverseSequence", RunReverseSequence},
      {"Slice", RunSlice},   {"Split", RunSplit},         {"Squeeze", RunSqueeze},
      {"Tile", RunTile},     {"Transpose", RunTranspose}, {"Unsqueeze", RunUnsqueeze},
  };
  return operators;
}

}  // namespace rondo::convert
