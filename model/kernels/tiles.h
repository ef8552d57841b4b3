#ifndef RONDO_MODEL_KERNELS_TILES_H_
#define RONDO_MODEL_KERNELS_TILES_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "model/kernels/packed_layer.h"

// RONDO_LANES (an inlined function) and RONDO_LANES_FUNCTION (one that is called) are defined by the source that
// includes this, for its set of instructions.

// The matrix product of all cells: rows of x and h by panels of weights. Every sum is one chain of fused multiply-adds
// that begins with the bias and goes through x, then h, in order. Tiles of any size therefore answer bit for bit alike.
// Weights of int8 are numbers of steps, so their chain begins with zero; what a step is worth comes in after x and at
// the end, with the bias.

namespace rondo {
namespace {

// Which of its two products a tile sums. The sums over x are kept between two tiles, where the products with x of many
// timesteps come before those with h of the first.
enum class Summands { kXThenH, kX, kHAfterX };

// Where the rows of one tile are: one begins a stride after the one before.
struct TileRows {
  Summands summands = Summands::kXThenH;
  const float* x = nullptr;
  size_t x_stride = 0;
  const float* h = nullptr;
  size_t h_stride = 0;
  const float* sums_of_x = nullptr;  // kHAfterX, of one row: [panels][kLanes] of all columns
};

// Each tile of rows fetches a part of the panels that come next into the L2 cache, some cache lines every so many rows
// of weights. With AVX2 that takes 512 units and more at 64 rows from 0.85 to 1.1 of oneDNN's speed (kernel-bench).
inline constexpr size_t kRowsPerPrefetch = 8;
inline constexpr size_t kCacheLine = 64;
// Weights of this size stay in the L2 cache from one step to the next.
inline constexpr size_t kCachedBytes = size_t{1} << 20;

// What a tile of rows fetches.
struct Ahead {
  size_t bytes = 0;  // from the panels of its product on
  size_t lines = 1;  // of each panel, every kRowsPerPrefetch rows of weights
};

// What tile `index` of `num_tiles` fetches of the panels after the `num_panels` of its product. All of them together
// fetch weights that are in no cache whole, which takes 1024 units at 16 rows 0.8 of the time; one tile alone does not,
// since the processor sees by itself where a single pass is going.
RONDO_LANES Ahead AheadOf(const PackedColumns& columns, size_t num_panels, size_t index, size_t num_tiles) {
  const size_t lines_of_rows = kRowsPerPrefetch * kLanes * columns.weight_bytes() / kCacheLine;
  const bool cached = columns.weights.size() * sizeof(float) <= kCachedBytes;
  const size_t lines = cached || num_tiles == 1 ? 1 : (lines_of_rows + num_tiles - 1) / num_tiles;
  const size_t of_earlier_tiles = index * (columns.panel_size() / kLanes / kRowsPerPrefetch) * lines * kCacheLine;
  return {num_panels * columns.panel_bytes() + of_earlier_tiles, lines};
}

// The rows of a tile as few pointers: with one for each row there would be more than registers, and where gcc 12 puts
// the others costs a tenth of the multiply-adds.
template <int kRows>
struct RowPointers {
  const float* first[(kRows + 3) / 4];  // of rows 0, 4, 8, ...
  size_t stride, stride3;

  RONDO_LANES RowPointers(const float* rows, size_t row_stride) : stride(row_stride), stride3(3 * row_stride) {
#pragma GCC unroll 16
    for (int i = 0; i < (kRows + 3) / 4; ++i) {
      first[i] = rows + i * 4 * row_stride;
      asm("" : "+r"(first[i]));
    }
    asm("" : "+r"(stride), "+r"(stride3));
  }

  // Number k of a row.
  RONDO_LANES float At(int row, size_t k) const {
    const float* const from = first[row / 4] + k;
    return row % 4 == 0 ? from[0] : row % 4 == 1 ? from[stride] : row % 4 == 2 ? from[2 * stride] : from[stride3];
  }
  RONDO_LANES void Advance(size_t floats) {
#pragma GCC unroll 16
    for (int i = 0; i < (kRows + 3) / 4; ++i) first[i] += floats;
  }
};

// sums += number k of each row by a row of each panel.
template <typename Lanes, typename Weight, int kRows, int kPanels>
RONDO_LANES void AddProduct(const RowPointers<kRows>& rows, size_t k, const Weight* weights, size_t panel_size,
                            Lanes (&sums)[kRows][kPanels]) {
  Lanes panel[kPanels];
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p) {
    if constexpr (kRows == 1 && std::is_same_v<Weight, float>) {
      panel[p] = Lanes::Load(weights + p * panel_size);
    } else {
      panel[p] = Lanes::LoadOnce(weights + p * panel_size);
    }
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
    const Lanes value = Lanes::Broadcast(rows.At(row, k));
#pragma GCC unroll 16
    for (int p = 0; p < kPanels; ++p) sums[row][p] = Lanes::MulAdd(value, panel[p], sums[row][p]);
  }
}

// sums += rows by panels, over `size` rows of weights. `ahead` moves through what is fetched. The loop is unrolled: its
// end would be guessed wrong once a tile.
template <typename Lanes, typename Weight, int kRows, int kPanels>
RONDO_LANES void AddProducts(const float* rows, size_t stride, size_t size, const Weight* weights, size_t panel_size,
                             const char*& ahead, size_t lines, Lanes (&sums)[kRows][kPanels]) {
  RowPointers<kRows> from(rows, stride);
  for (; size >= kRowsPerPrefetch; size -= kRowsPerPrefetch, weights += kRowsPerPrefetch * kLanes) {
    if constexpr (kRows > 2) {
      size_t line = 0;
      do {
#pragma GCC unroll 16
        for (int p = 0; p < kPanels; ++p) __builtin_prefetch(ahead + p * panel_size * sizeof(Weight), 0, 2);
        ahead += kCacheLine;
      } while (++line < lines);
    }
#pragma GCC unroll 16
    for (size_t k = 0; k < kRowsPerPrefetch; ++k) AddProduct(from, k, weights + k * kLanes, panel_size, sums);
    from.Advance(kRowsPerPrefetch);
  }
  for (; size > 0; --size, weights += kLanes) {
    AddProduct(from, 0, weights, panel_size, sums);
    from.Advance(1);
  }
}

// Multiplies the sums of each panel by its factors: [kPanels], 2 * kLanes apart.
template <typename Lanes, int kRows, int kPanels>
RONDO_LANES void Scale(const float* factors, Lanes (&sums)[kRows][kPanels]) {
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p) {
    const Lanes factor = Lanes::Load(factors + p * 2 * kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) sums[row][p] = Lanes::Mul(sums[row][p], factor);
  }
}

// sums = sums * factors + bias.
template <typename Lanes, int kRows, int kPanels>
RONDO_LANES void ScaleOntoBias(const float* factors, const float* bias, Lanes (&sums)[kRows][kPanels]) {
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p) {
    const Lanes factor = Lanes::Load(factors + p * 2 * kLanes), first = Lanes::Load(bias + p * kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) sums[row][p] = Lanes::MulAdd(sums[row][p], factor, first);
  }
}

// sums: [kRows][stride], of which kPanels * kLanes are written.
template <typename Lanes, typename Weight, int kRows, int kPanels>
RONDO_LANES_FUNCTION void TileOf(const TileRows& rows, const PackedColumns& columns, size_t first_panel, Ahead fetched,
                                 float* sums, size_t stride) {
  constexpr bool kScaled = std::is_same_v<Weight, int8_t>;
  const size_t panel_size = columns.panel_size();
  const auto* const weights = reinterpret_cast<const Weight*>(columns.panel(first_panel));
  const float* const bias = columns.bias.get() + first_panel * kLanes;
  const float* const factors = columns.factors.get() + (kScaled ? first_panel * 2 * kLanes : 0);
  const bool after_x = kRows == 1 && rows.summands == Summands::kHAfterX;
  Lanes tile[kRows][kPanels];
#pragma GCC unroll 16
  for (int p = 0; p < kPanels; ++p) {
    const Lanes first = after_x   ? Lanes::Load(rows.sums_of_x + (first_panel + p) * kLanes)
                        : kScaled ? Lanes::Broadcast(0.0f)
                                  : Lanes::Load(bias + p * kLanes);
#pragma GCC unroll 16
    for (int row = 0; row < kRows; ++row) tile[row][p] = first;
  }
  const char* ahead = columns.panel(first_panel) + fetched.bytes;
  if (!after_x) {
    AddProducts(rows.x, rows.x_stride, columns.inputs, weights, panel_size, ahead, fetched.lines, tile);
    if constexpr (kScaled) Scale(factors, tile);
  }
  if (rows.summands != Summands::kX) {
    AddProducts(rows.h, rows.h_stride, columns.hiddens, weights + columns.inputs * kLanes, panel_size, ahead,
                fetched.lines, tile);
    if constexpr (kScaled) ScaleOntoBias(factors + kLanes, bias, tile);
  }
#pragma GCC unroll 16
  for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
    for (int p = 0; p < kPanels; ++p) tile[row][p].Store(sums + row * stride + p * kLanes);
  }
}

template <typename Lanes, int kRows, int kPanels>
RONDO_LANES void Tile(const TileRows& rows, const PackedColumns& columns, size_t first_panel, Ahead fetched,
                      float* sums, size_t stride) {
  switch (columns.format) {
    case WeightFormat::kF32:
      return TileOf<Lanes, float, kRows, kPanels>(rows, columns, first_panel, fetched, sums, stride);
    case WeightFormat::kBf16:
      return TileOf<Lanes, uint16_t, kRows, kPanels>(rows, columns, first_panel, fetched, sums, stride);
    case WeightFormat::kInt8:
      return TileOf<Lanes, int8_t, kRows, kPanels>(rows, columns, first_panel, fetched, sums, stride);
  }
}

// Any number of panels, in tiles of at most kPanels.
template <typename Lanes, int kRows, int kPanels = Lanes::PanelsFor(kRows)>
RONDO_LANES_FUNCTION void Product(const TileRows& rows, const PackedColumns& columns, size_t first_panel,
                                  size_t num_panels, Ahead fetched, float* sums, size_t stride) {
  for (; num_panels >= kPanels; num_panels -= kPanels, first_panel += kPanels, sums += kPanels * kLanes) {
    Tile<Lanes, kRows, kPanels>(rows, columns, first_panel, fetched, sums, stride);
  }
  if constexpr (kPanels > 1) {
    if (num_panels > 0) {
      Product<Lanes, kRows, kPanels / 2>(rows, columns, first_panel, num_panels, fetched, sums, stride);
    }
  }
}

// ---- The output head: few columns, so the lanes divide the inputs among them instead. Lane l adds the products k = l,
// l + 16, l + 32, ...

// Folds the upper half onto the lower one until one is left.
template <typename Lanes>
RONDO_LANES float SumOf(const Lanes& lanes) {
  float sums[kLanes];
  lanes.Store(sums);
  for (size_t half = kLanes / 2; half > 0; half /= 2) {
    for (size_t i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return sums[0];
}

// kRows x kOutputs results at once, so that each load serves several products.
template <typename Lanes, int kRows, int kOutputs>
RONDO_LANES void DenseTile(const DenseProblem& p, size_t row, size_t output) {
  Lanes sums[kRows][kOutputs];
  for (auto& row_sums : sums) {
    for (Lanes& sum : row_sums) sum = Lanes::Broadcast(0.0f);
  }
  const float* const weight = p.weight + output * p.stride;
  for (size_t k = 0; k < p.inputs; k += kLanes) {
    Lanes x[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const float* const from = p.rows[row + r] + k;
      x[r] = k + kLanes <= p.inputs ? Lanes::Load(from) : Lanes::LoadFirst(from, p.inputs - k);
    }
#pragma GCC unroll 16
    for (int o = 0; o < kOutputs; ++o) {
      const Lanes w = Lanes::Load(weight + o * p.stride + k);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) sums[r][o] = Lanes::MulAdd(w, x[r], sums[r][o]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int o = 0; o < kOutputs; ++o) {
      p.y[(row + r) * p.outputs + output + o] = SumOf(sums[r][o]) + p.bias[output + o];
    }
  }
}

template <typename Lanes, int kRows, int kOutputs>
RONDO_LANES_FUNCTION void DenseOutputs(const DenseProblem& p, size_t output) {
  size_t row = 0;
  for (; row + kRows <= p.num_rows; row += kRows) DenseTile<Lanes, kRows, kOutputs>(p, row, output);
  for (; row < p.num_rows; ++row) DenseTile<Lanes, 1, kOutputs>(p, row, output);
}

// Outputs outside: a block of weights is read from memory once and serves all rows from the cache.
template <typename Lanes, int kRows, int kOutputs>
RONDO_LANES_FUNCTION void RunDense(const DenseProblem& p) {
  size_t output = 0;
  for (; output + kOutputs <= p.outputs; output += kOutputs) DenseOutputs<Lanes, kRows, kOutputs>(p, output);
  for (; output < p.outputs; ++output) DenseOutputs<Lanes, kRows, 1>(p, output);
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_TILES_H_
