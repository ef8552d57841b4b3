#ifndef RONDO_MODEL_CONVERT_ONNX_TRACED_H_
#define RONDO_MODEL_CONVERT_ONNX_TRACED_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "model/convert/graph/array.h"

namespace rondo::convert {

// Most numbers of a tensor that an operator makes out of less; constants of the file may have more.
constexpr int64_t kMaxTraced = int64_t{1} << 22;

// Where one number of an ONNX tensor comes from: number `index` of what `source` gives at timestep `time`, or a
// constant.
struct Ref {
  static constexpr int32_t kConstant = -1;

  int32_t source = kConstant;
  int32_t time = 0;  // below 0: before the first timestep, where all is zero
  int64_t index = 0;
  double value = 0;  // of a constant

  bool constant() const { return source == kConstant; }
  // Comes from the same place, `steps` timesteps later?
  bool Follows(const Ref& before, int32_t steps) const {
    return source == before.source && index == before.index && value == before.value &&
           (constant() || time == before.time + steps);
  }
};

// An ONNX tensor while the graph is followed. Operators that only move numbers (Reshape, Transpose, Slice, Concat ...)
// move the refs, whatever axes they use; so a value's place among the timesteps, and in an element's frame, is known
// for every number of it and never guessed from an axis.
struct Traced {
  std::vector<int64_t> shape;
  std::vector<double> constants;  // all of the numbers, if all are constant; else empty
  std::vector<Ref> refs;          // else all of them
  bool whole = false;             // whole numbers, such as shapes: they divide as such

  bool constant() const { return refs.empty(); }
  int64_t size() const { return static_cast<int64_t>(constant() ? constants.size() : refs.size()); }
  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  Ref At(int64_t i) const { return constant() ? Ref{Ref::kConstant, 0, 0, constants[i]} : refs[i]; }
};

Traced FromArray(const Array& array);
Array ToArray(const Traced& traced);  // REQUIRES: constant

// The numbers of `from` at `places`, in their order. REQUIRES: as many places as the shape has.
Traced Moved(const Traced& from, std::vector<int64_t> shape, const std::vector<int64_t>& places);
// The numbers whose place on `axis` is one of `kept`, in that order.
Traced Kept(const Traced& in, int64_t axis, const std::vector<int64_t>& kept);
// A tensor of refs, or of constants if all are.
Traced FromRefs(std::vector<int64_t> shape, std::vector<Ref> refs);

// The distance in the flat order from one place of each axis to the next.
std::vector<int64_t> StridesOf(const std::vector<int64_t>& shape);

// Calls `visit` for every place of a tensor, in order, with the place of each axis.
void ForEachPlace(const std::vector<int64_t>& shape, const std::function<void(const std::vector<int64_t>&)>& visit);

// The tensor repeated along axes of size 1 to `shape`, by ONNX's (numpy's) rule. REQUIRES: BroadcastShape gave it.
Traced Broadcast(const Traced& from, const std::vector<int64_t>& shape);
// The shape of two tensors combined number by number. Empty vector and *fits false: they can't be.
std::vector<int64_t> BroadcastShape(const std::vector<int64_t>& a, const std::vector<int64_t>& b, bool* fits);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_TRACED_H_
