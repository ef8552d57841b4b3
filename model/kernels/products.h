#ifndef RONDO_MODEL_KERNELS_PRODUCTS_H_
#define RONDO_MODEL_KERNELS_PRODUCTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "model/kernels/activations.h"
#include "model/kernels/step_functions.h"
#include "model/kernels/tiles.h"

// RONDO_LANES and RONDO_LANES_FUNCTION: see tiles.h.

// The matrix product of the elements that are no cells: the tiles of the cells, finished by a function of each sum.

namespace rondo {
namespace {

// Some panels of kRows rows.
template <typename Lanes, int kRows>
RONDO_LANES_FUNCTION void RunPanels(const ProductProblem& p, size_t first_row, size_t first_panel, size_t num_panels) {
  constexpr size_t kStride = Lanes::PanelsFor(kRows) * kLanes;
  alignas(64) float sums[kRows * kStride];
  TileRows rows;
  rows.x = p.x + first_row * p.x_stride;
  rows.x_stride = p.x_stride;
  rows.h = p.h == nullptr ? rows.x : p.h + first_row * p.h_stride;
  rows.h_stride = p.h_stride;
  Product<Lanes, kRows>(rows, *p.columns, first_panel, num_panels,
                        AheadOf(*p.columns, num_panels, first_row / kRows, (p.num_rows + kRows - 1) / kRows), sums,
                        kStride);
  for (int row = 0; row < kRows; ++row) {
    float* const y = p.y + (first_row + row) * p.y_stride;
    for (size_t panel = 0; panel < num_panels; ++panel) {
      const size_t first = (first_panel + panel) * kLanes;
      const Lanes result = ActivateLanes(p.function, Lanes::Load(sums + row * kStride + panel * kLanes));
      if (first + kLanes <= p.outputs) {
        result.Store(y + first);
      } else {
        result.StoreFirst(y + first, p.outputs - first);
      }
    }
  }
}

using RunPanelsFunction = void (*)(const ProductProblem&, size_t, size_t, size_t);

// RunPanels of 1, 2, ... rows.
template <typename Lanes, size_t... kBefore>
constexpr std::array<RunPanelsFunction, sizeof...(kBefore)> RunPanelsByRows(std::index_sequence<kBefore...>) {
  return {RunPanels<Lanes, kBefore + 1>...};
}

// Panels outside: their weights are read from memory once and serve all rows from the cache.
template <typename Lanes>
RONDO_LANES_FUNCTION void RunProduct(const ProductProblem& p) {
  static constexpr auto kRunPanels = RunPanelsByRows<Lanes>(std::make_index_sequence<Lanes::kMaxRows>());
  if (p.num_rows == 0) return;
  const size_t panels = (p.outputs + kLanes - 1) / kLanes;
  const size_t num_tiles = (p.num_rows + Lanes::kMaxRows - 1) / Lanes::kMaxRows;
  const size_t least_rows = p.num_rows / num_tiles;
  const size_t larger_tiles = p.num_rows % num_tiles;
  const size_t step = Lanes::PanelsFor(static_cast<int>(least_rows + (larger_tiles > 0)));
  for (size_t panel = 0; panel < panels; panel += step) {
    const size_t num_panels = std::min(step, panels - panel);
    for (size_t tile = 0, row = 0; tile < num_tiles; ++tile) {
      const size_t rows = least_rows + (tile < larger_tiles);
      kRunPanels[rows - 1](p, row, panel, num_panels);
      row += rows;
    }
  }
}

template <typename Lanes>
RONDO_LANES_FUNCTION void RunActivate(const ActivationFunction& function, const float* x, size_t size, float* y) {
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) ActivateLanes(function, Lanes::Load(x + i)).Store(y + i);
  if (i < size) ActivateLanes(function, Lanes::LoadFirst(x + i, size - i)).StoreFirst(y + i, size - i);
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_PRODUCTS_H_
