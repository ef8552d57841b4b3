#include "model/convert/onnx/traced.h"

#include <algorithm>
#include <utility>

namespace rondo::convert {

Traced FromArray(const Array& array) { return {array.shape, array.values, {}, array.whole}; }

Array ToArray(const Traced& traced) { return {traced.shape, traced.constants, traced.whole}; }

Traced Moved(const Traced& from, std::vector<int64_t> shape, const std::vector<int64_t>& places) {
  Traced moved{std::move(shape), {}, {}, from.whole};
  if (from.constant()) {
    moved.constants.reserve(places.size());
    for (const int64_t place : places) moved.constants.push_back(from.constants[place]);
    return moved;
  }
  std::vector<Ref> refs;
  refs.reserve(places.size());
  for (const int64_t place : places) refs.push_back(from.refs[place]);
  Traced result = FromRefs(std::move(moved.shape), std::move(refs));
  result.whole = from.whole;
  return result;
}

Traced Kept(const Traced& in, int64_t axis, const std::vector<int64_t>& kept) {
  const std::vector<int64_t> strides = StridesOf(in.shape);
  std::vector<int64_t> shape = in.shape, places;
  shape[axis] = static_cast<int64_t>(kept.size());
  ForEachPlace(shape, [&](const std::vector<int64_t>& place) {
    int64_t at = 0;
    for (size_t i = 0; i < place.size(); ++i) {
      at += (static_cast<int64_t>(i) == axis ? kept[place[i]] : place[i]) * strides[i];
    }
    places.push_back(at);
  });
  return Moved(in, std::move(shape), places);
}

Traced FromRefs(std::vector<int64_t> shape, std::vector<Ref> refs) {
  Traced traced{std::move(shape), {}, {}};
  if (!std::all_of(refs.begin(), refs.end(), [](const Ref& ref) { return ref.constant(); })) {
    traced.refs = std::move(refs);
    return traced;
  }
  for (const Ref& ref : refs) traced.constants.push_back(ref.value);
  return traced;
}

std::vector<int64_t> StridesOf(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

void ForEachPlace(const std::vector<int64_t>& shape, const std::function<void(const std::vector<int64_t>&)>& visit) {
  const int64_t size = SizeOf(shape).value_or(0);
  std::vector<int64_t> place(shape.size(), 0);
  for (int64_t i = 0; i < size; ++i) {
    visit(place);
    for (size_t axis = shape.size(); axis-- > 0 && ++place[axis] == shape[axis];) place[axis] = 0;
  }
}

Traced Broadcast(const Traced& from, const std::vector<int64_t>& shape) {
  if (from.shape == shape) return from;
  const std::vector<int64_t> strides = StridesOf(from.shape);
  const size_t added = shape.size() - from.shape.size();
  std::vector<int64_t> places;
  ForEachPlace(shape, [&](const std::vector<int64_t>& place) {
    int64_t at = 0;
    for (size_t i = 0; i < from.shape.size(); ++i) at += from.shape[i] == 1 ? 0 : place[added + i] * strides[i];
    places.push_back(at);
  });
  return Moved(from, shape, places);
}

std::vector<int64_t> BroadcastShape(const std::vector<int64_t>& a, const std::vector<int64_t>& b, bool* fits) {
  std::vector<int64_t> shape(std::max(a.size(), b.size()), 1);
  *fits = true;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1, of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) *fits = false;
    shape[shape.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  const int64_t most = std::max({kMaxTraced, SizeOf(a).value_or(0), SizeOf(b).value_or(0)});
  *fits = *fits && SizeOf(shape).value_or(most + 1) <= most;
  return shape;
}

}  // namespace rondo::convert
