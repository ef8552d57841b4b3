#ifndef RONDO_MODEL_KERNELS_UNITS_H_
#define RONDO_MODEL_KERNELS_UNITS_H_

#include <cstddef>

#include "model/kernels/packed_columns.h"
#include "model/kernels/two_rows.h"

// RONDO_LANES: see tiles.h.

namespace rondo {
namespace {

// Units that a cell finishes together, of one row or with TwoRows of two.
struct Units {
  size_t row;  // the first of the two
  size_t first;
  size_t size;            // kLanes, or fewer at the layer's end
  const float* gates[3];  // of each set of columns, [gates][kLanes]
  size_t gates_stride;    // from the gates of a row to those of the next
};

// Lanes to and from rows of floats that begin a stride apart.
template <typename Lanes>
struct RowAccess {
  RONDO_LANES static Lanes Load(const float* from, size_t size, size_t /*stride*/) {
    return size == kLanes ? Lanes::Load(from) : Lanes::LoadFirst(from, size);
  }
  RONDO_LANES static void Store(const Lanes& lanes, float* to, size_t size, size_t /*stride*/) {
    if (size == kLanes) {
      lanes.Store(to);
    } else {
      lanes.StoreFirst(to, size);
    }
  }
};

template <typename Lanes>
struct RowAccess<TwoRows<Lanes>> {
  using One = RowAccess<Lanes>;

  RONDO_LANES static TwoRows<Lanes> Load(const float* from, size_t size, size_t stride) {
    return {One::Load(from, size, 0), One::Load(from + stride, size, 0)};
  }
  RONDO_LANES static void Store(const TwoRows<Lanes>& lanes, float* to, size_t size, size_t stride) {
    One::Store(lanes.a, to, size, 0);
    One::Store(lanes.b, to + stride, size, 0);
  }
};

template <typename Lanes>
RONDO_LANES Lanes LoadUnits(const float* from, const Units& units, size_t stride) {
  return RowAccess<Lanes>::Load(from + units.row * stride + units.first, units.size, stride);
}

template <typename Lanes>
RONDO_LANES void StoreUnits(const Lanes& lanes, float* to, const Units& units, size_t stride) {
  RowAccess<Lanes>::Store(lanes, to + units.row * stride + units.first, units.size, stride);
}

template <typename Lanes>
RONDO_LANES Lanes Gate(const Units& units, int columns, int gate) {
  return RowAccess<Lanes>::Load(units.gates[columns] + gate * kLanes, kLanes, units.gates_stride);
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_UNITS_H_
