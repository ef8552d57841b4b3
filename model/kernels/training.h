#ifndef RONDO_MODEL_KERNELS_TRAINING_H_
#define RONDO_MODEL_KERNELS_TRAINING_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "model/kernels/activations.h"
#include "model/kernels/packed_columns.h"
#include "model/kernels/training_functions.h"
#include "model/kernels/units.h"

// RONDO_LANES and RONDO_LANES_FUNCTION: see tiles.h.

namespace rondo {
namespace {

// Where a tile of a gradient is: [rows][columns of c], and what it is summed from.
struct GradientTile {
  float* c;
  size_t c_stride;
  size_t last_columns;  // of its last panel: kLanes, or fewer at the right end
  const float* a;       // [depth][rows]
  const float* b;       // [panels][depth][kLanes]
  size_t depth;
};

template <typename Lanes, int kRows, int kPanels>
RONDO_LANES_FUNCTION void AddGradientTile(const GradientTile& t) {
  const auto columns = [&t](int panel) { return panel + 1 == kPanels ? t.last_columns : kLanes; };
  Lanes sums[kRows][kPanels];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kPanels; ++i) {
      sums[r][i] = RowAccess<Lanes>::Load(t.c + r * t.c_stride + i * kLanes, columns(i), 0);
    }
  }
  const float *a = t.a, *b = t.b;
#pragma GCC unroll 4
  for (size_t k = 0; k < t.depth; ++k, a += kRows, b += kLanes) {
    Lanes panel[kPanels];
#pragma GCC unroll 16
    for (int i = 0; i < kPanels; ++i) panel[i] = Lanes::LoadOnce(b + i * t.depth * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Lanes value = Lanes::Broadcast(a[r]);
#pragma GCC unroll 16
      for (int i = 0; i < kPanels; ++i) sums[r][i] = Lanes::MulAdd(value, panel[i], sums[r][i]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < kPanels; ++i) {
      RowAccess<Lanes>::Store(sums[r][i], t.c + r * t.c_stride + i * kLanes, columns(i), 0);
    }
  }
}

// Some columns of rows of floats, side by side: [depth][size], and zeros up to `width`.
template <typename Lanes>
RONDO_LANES void CopyColumns(const float* from, size_t stride, size_t depth, size_t size, size_t width, float* to) {
  for (size_t k = 0; k < depth; ++k, from += stride, to += width) {
    Lanes::LoadFirst(from, size).StoreFirst(to, width);
  }
}

// kRows rows of c. a: [depth][kRows], b: [panels][depth][kLanes]. Returns the end of b.
template <typename Lanes, int kRows>
RONDO_LANES_FUNCTION const float* AddWeightGradient(const WeightGradient& weight, size_t row, const float* a,
                                                    const float* b, size_t depth) {
  constexpr int kPanels = Lanes::PanelsFor(kRows) < 2 ? 1 : 2;
  GradientTile tile = {nullptr, weight.columns, kLanes, a, b, depth};
  for (size_t column = 0; column < weight.columns;) {
    const size_t left = weight.columns - column;
    const size_t panels = left > kLanes ? kPanels : 1;
    tile.c = weight.c + row * weight.columns + column;
    tile.last_columns = std::min(kLanes, left - (panels - 1) * kLanes);
    if (panels == 1) {
      AddGradientTile<Lanes, kRows, 1>(tile);
    } else {
      AddGradientTile<Lanes, kRows, kPanels>(tile);
    }
    tile.b += panels * depth * kLanes;
    column += panels * kLanes;
  }
  return tile.b;
}

// The gradients of kRows rows.
template <typename Lanes, int kRows>
RONDO_LANES_FUNCTION void AddGradientRows(const GradientProblem& p, size_t row, size_t first, size_t depth) {
  alignas(64) float a[kGradientDepth * kRows];
  CopyColumns<Lanes>(p.a + first * p.a_stride + row, p.a_stride, depth, kRows, kRows, a);
  Lanes bias = Lanes::LoadFirst(p.bias + row, kRows);
  for (size_t k = 0; k < depth; ++k) bias = Lanes::Add(bias, Lanes::LoadFirst(a + k * kRows, kRows));
  bias.StoreFirst(p.bias + row, kRows);
  const float* const after_x = AddWeightGradient<Lanes, kRows>(p.of_x, row, a, p.scratchpad, depth);
  AddWeightGradient<Lanes, kRows>(p.of_h, row, a, after_x, depth);
}

using AddGradientRowsFunction = void (*)(const GradientProblem&, size_t, size_t, size_t);

// AddGradientRows of 1, 2, ... rows.
template <typename Lanes, size_t... kBefore>
constexpr std::array<AddGradientRowsFunction, sizeof...(kBefore)> GradientsByRows(std::index_sequence<kBefore...>) {
  return {AddGradientRows<Lanes, kBefore + 1>...};
}

template <typename Lanes>
RONDO_LANES_FUNCTION void AddGradient(const GradientProblem& p) {
  constexpr size_t kRows = Lanes::kMaxRows;
  static constexpr auto kAddRows = GradientsByRows<Lanes>(std::make_index_sequence<kRows>());
  for (size_t first = 0; first < p.depth; first += kGradientDepth) {
    const size_t depth = std::min(kGradientDepth, p.depth - first);
    float* to = p.scratchpad;
    for (const WeightGradient& weight : {p.of_x, p.of_h}) {
      for (size_t column = 0; column < weight.columns; column += kLanes, to += depth * kLanes) {
        CopyColumns<Lanes>(weight.b + first * weight.columns + column, weight.columns, depth,
                           std::min(kLanes, weight.columns - column), kLanes, to);
      }
    }
    for (size_t row = 0; row < p.rows; row += kRows) {
      kAddRows[std::min(kRows, p.rows - row) - 1](p, row, first, depth);
    }
  }
}

template <typename Lanes>
RONDO_LANES_FUNCTION void LstmForward(const LstmTimestep& t) {
  using Access = RowAccess<Lanes>;
  const size_t hidden_size = t.hidden_size;
  for (size_t row = 0; row < t.rows; ++row) {
    for (size_t unit = 0; unit < hidden_size; unit += kLanes) {
      const size_t size = std::min(kLanes, hidden_size - unit), at = row * hidden_size + unit;
      float* const gates = t.gates + row * 4 * hidden_size + unit;
      const Lanes i = Sigmoid(Access::Load(gates, size, 0));
      const Lanes f = Sigmoid(Access::Load(gates + hidden_size, size, 0));
      const Lanes g = Tanh(Access::Load(gates + 2 * hidden_size, size, 0));
      const Lanes o = Sigmoid(Access::Load(gates + 3 * hidden_size, size, 0));
      const Lanes c = Lanes::MulAdd(f, Access::Load(t.c_in + at, size, 0), Lanes::Mul(i, g));
      const Lanes tanh_c = Tanh(c);
      Access::Store(i, gates, size, 0);
      Access::Store(f, gates + hidden_size, size, 0);
      Access::Store(g, gates + 2 * hidden_size, size, 0);
      Access::Store(o, gates + 3 * hidden_size, size, 0);
      Access::Store(c, t.c + at, size, 0);
      Access::Store(tanh_c, t.tanh_c + at, size, 0);
      Access::Store(Lanes::Mul(o, tanh_c), t.h + at, size, 0);
    }
  }
}

// gradient * gate * (1 - gate): through a sigmoid.
template <typename Lanes>
RONDO_LANES Lanes ThroughSigmoid(Lanes gradient, Lanes gate) {
  return Lanes::Mul(gradient, Lanes::NegMulAdd(gate, gate, gate));
}

// gradient * (1 - value^2): through a tanh.
template <typename Lanes>
RONDO_LANES Lanes ThroughTanh(Lanes gradient, Lanes value) {
  return Lanes::Mul(gradient, Lanes::NegMulAdd(value, value, Lanes::Broadcast(1.0f)));
}

template <typename Lanes>
RONDO_LANES_FUNCTION void LstmBackward(const LstmTimestep& t) {
  using Access = RowAccess<Lanes>;
  const size_t hidden_size = t.hidden_size;
  for (size_t row = 0; row < t.rows; ++row) {
    for (size_t unit = 0; unit < hidden_size; unit += kLanes) {
      const size_t size = std::min(kLanes, hidden_size - unit), at = row * hidden_size + unit;
      float* const gates = t.gates + row * 4 * hidden_size + unit;
      const Lanes i = Access::Load(gates, size, 0), f = Access::Load(gates + hidden_size, size, 0);
      const Lanes g = Access::Load(gates + 2 * hidden_size, size, 0),
                  o = Access::Load(gates + 3 * hidden_size, size, 0);
      const Lanes tanh_c = Access::Load(t.tanh_c + at, size, 0);
      const Lanes dh = Lanes::Add(Access::Load(t.dh + at, size, 0), Access::Load(t.dh_next + at, size, 0));
      const Lanes dc = Lanes::Add(Access::Load(t.dc + at, size, 0), ThroughTanh(Lanes::Mul(dh, o), tanh_c));
      Access::Store(ThroughSigmoid(Lanes::Mul(dc, g), i), gates, size, 0);
      Access::Store(ThroughSigmoid(Lanes::Mul(dc, Access::Load(t.c_in + at, size, 0)), f), gates + hidden_size, size,
                    0);
      Access::Store(ThroughTanh(Lanes::Mul(dc, i), g), gates + 2 * hidden_size, size, 0);
      Access::Store(ThroughSigmoid(Lanes::Mul(dh, tanh_c), o), gates + 3 * hidden_size, size, 0);
      Access::Store(Lanes::Mul(dc, f), t.dc + at, size, 0);
    }
  }
}

template <typename Lanes>
constexpr TrainingFunctions MakeTrainingFunctions() {
  return {AddGradient<Lanes>, LstmForward<Lanes>, LstmBackward<Lanes>};
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_TRAINING_H_
