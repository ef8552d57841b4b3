// Padding: of a frame it is an element, of timesteps it moves zeros in.

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/convert/onnx/operator.h"

namespace rondo::convert {
namespace {

using Sizes = std::vector<int64_t>;

// The places of one axis with `before` and `after` more; -1 stands for the padding's value.
Sizes PaddedPlaces(int64_t size, int64_t before, int64_t after, absl::string_view mode) {
  Sizes places;
  for (int64_t at = -before; at < size + after; ++at) {
    if (at >= 0 && at < size) {
      places.push_back(at);
    } else if (mode == "edge") {
      places.push_back(at < 0 ? 0 : size - 1);
    } else if (mode == "reflect" && size > 1) {
      const int64_t period = 2 * (size - 1), folded = ((at % period) + period) % period;
      places.push_back(folded < size ? folded : period - folded);
    } else {
      places.push_back(-1);
    }
  }
  return places;
}

// The zero that stands `steps` places before the first one along an axis of this stride: where the axis goes through
// the timesteps, that of a time before the first.
Ref ZeroBefore(const Traced& in, int64_t first, int64_t stride, int64_t size, int64_t steps) {
  Ref ref = in.At(first);
  const bool timely = !ref.constant() && ref.time <= 0 && size > 1 && in.At(first + stride).Follows(ref, 1);
  if (!timely) return {};
  ref.time -= static_cast<int32_t>(steps);
  return ref;
}

Traced PaddedAxis(const Traced& in, int64_t axis, const Sizes& kept) {
  const Sizes strides = StridesOf(in.shape);
  const int64_t before = std::find_if(kept.begin(), kept.end(), [](int64_t at) { return at >= 0; }) - kept.begin();
  Sizes shape = in.shape;
  shape[axis] = static_cast<int64_t>(kept.size());
  std::vector<Ref> refs;
  ForEachPlace(shape, [&](const Sizes& place) {
    int64_t at = 0;
    for (size_t i = 0; i < place.size(); ++i) {
      at += (static_cast<int64_t>(i) == axis ? std::max<int64_t>(kept[place[i]], 0) : place[i]) * strides[i];
    }
    if (kept[place[axis]] >= 0) {
      refs.push_back(in.At(at));
    } else if (place[axis] > before) {
      refs.push_back({});
    } else {
      refs.push_back(ZeroBefore(in, at, strides[axis], in.shape[axis], before - place[axis]));
    }
  });
  return FromRefs(std::move(shape), std::move(refs));
}

// Padding of a frame's last axis is an element; other padding moves zeros in.
bool PadFrame(OperatorCall& call, const Traced& in, int64_t axis, int64_t before, int64_t after,
              const std::string& mode) {
  if (in.constant() || (before < 4 && after < 4 && mode != "reflect")) return false;
  const auto roles = call.tracer().Roles(call.named(), in);
  if (!roles.has_value() || roles->time_axis == axis || roles->frame_axes.empty() || roles->frame_axes.back() != axis) {
    return false;
  }
  const Value value = call.tracer().FrameOf(call.named(), in, *roles);
  if (!call.ok()) return false;
  const int64_t length = in.shape[axis];
  const Value frame = AddReshape(call.graph(), absl::StrCat(call.element_name(), "_frame"), value,
                                 {value.frame.size() / length, length});
  const Value padded =
      AddPad(call.graph(), call.element_name(), frame, before, after, mode == "constant" ? "zero" : mode);
  Sizes shape = in.shape;
  shape[axis] += before + after;
  call.GiveValue(padded, shape, *roles);
  return true;
}

bool GoesThroughTime(const Traced& in, int64_t axis) {
  const int64_t stride = StridesOf(in.shape)[axis];
  for (int64_t i = 0; i < in.size() && in.shape[axis] > 1; ++i) {
    const Ref ref = in.At(i);
    if (!ref.constant() && i / stride % in.shape[axis] == 0) return in.At(i + stride).Follows(ref, 1);
  }
  return false;
}

// The places of the paddings, those along the timesteps last: what is padded there is no frame any more.
std::vector<size_t> FrameFirst(OperatorCall& call, const std::optional<Sizes>& axes, size_t count) {
  const Traced& in = call.Needed(0);
  std::vector<size_t> first, last;
  for (size_t i = 0; i < count; ++i) {
    const int64_t axis = axes.has_value() ? call.Axis((*axes)[i], in.rank()) : static_cast<int64_t>(i);
    (axis >= 0 && GoesThroughTime(in, axis) ? last : first).push_back(i);
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

void RunPad(OperatorCall& call) {
  const Traced& in = call.Needed(0);
  const auto pads = call.WholesOf("pads", 1), axes = call.WholesOf("axes", 3);
  const auto fill = call.ConstantInput(2, "value");
  const std::string mode = call.Text("mode", "constant");
  if (!call.ok()) return;
  const size_t count = axes.has_value() ? axes->size() : in.shape.size();
  if (!pads.has_value() || pads->size() != 2 * count) return call.Refuse("has no two paddings for each axis");
  if (mode != "constant" && mode != "reflect" && mode != "edge") return call.Refuse(absl::StrCat("pads by ", mode));
  if ((!fill->empty() && fill->values[0] != 0) || call.Number("value", 0) != 0)
    return call.Refuse("pads with another value than 0");
  Traced result = in;
  for (const size_t i : FrameFirst(call, axes, count)) {
    const int64_t axis = axes.has_value() ? call.Axis((*axes)[i], in.rank()) : static_cast<int64_t>(i);
    if (!call.ok()) return;
    const int64_t before = (*pads)[i], after = (*pads)[count + i];
    if (before == 0 && after == 0) continue;
    constexpr int64_t kMost = 1 << 20;
    if (before < 0 || after < 0 || before > kMost || after > kMost)
      return call.Refuse("pads by less than 0 or too much");
    Sizes padded = result.shape;
    padded[axis] += before + after;
    if (!call.CanHold(padded)) return;
    if (PadFrame(call, result, axis, before, after, mode)) {
      result = std::move(call.outputs().back());
      call.outputs().pop_back();
      continue;
    }
    if (!call.ok()) return;
    result = PaddedAxis(result, axis, PaddedPlaces(result.shape[axis], before, after, mode));
  }
  call.Give(std::move(result));
}

}  // namespace

const Operators& PadOperators() {
  static const auto& operators = *new Operators{
      {"Pad", RunPad},
  };
  return operators;
}

}  // namespace rondo::convert
