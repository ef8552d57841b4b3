#ifndef RONDO_MODEL_KERNELS_CELLS_H_
#define RONDO_MODEL_KERNELS_CELLS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "model/kernels/activations.h"
#include "model/kernels/step_functions.h"
#include "model/kernels/tiles.h"
#include "model/kernels/units.h"

// RONDO_LANES and RONDO_LANES_FUNCTION: see tiles.h.

// One timestep of each cell: passes over blocks of units and some rows at a time. A pass sums the gates of a block
// (tiles.h) and finishes the block's units while those sums are in the cache.

namespace rondo {
namespace {

// What a pass reads and writes; a row of h, c and scratch has h_stride, h_stride and scratch_stride floats.
struct PassBuffers {
  const float* x;  // [batch_size][input_size]
  const float* h;  // [batch_size][h_stride]: what the panels of h are multiplied by
  size_t h_stride;
  const LayerBuffers* layer;
  size_t hidden_size;
  // Null, or for one row, of each set of columns the sums over x that are there already: [panels][kLanes].
  const float* sums_of_x[3];
  bool backwards;  // the last block of units first, which changes no bit
  float* update;   // [batch_size][padded hidden_size], gru with reset before: its z
  float* reset_h;  // [batch_size][padded hidden_size], gru with reset before: r * h
  size_t padded_hidden_size;
};

// torch.nn.LSTM: i, f, g, o; c = f * c + i * g; h = o * tanh(c).
struct LstmPass {
  static constexpr size_t kFirstColumns = 0, kNumColumns = 1, kFewestGates = 4;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    const Lanes new_part = SigmoidTimesTanh(Gate<Lanes>(u, 0, 0), Gate<Lanes>(u, 0, 2));
    const Lanes forget = Sigmoid(Gate<Lanes>(u, 0, 1));
    const Lanes c = Lanes::MulAdd(forget, LoadUnits<Lanes>(b.layer->c_in, u, b.hidden_size), new_part);
    StoreUnits(c, b.layer->c_out, u, b.hidden_size);
    StoreUnits(SigmoidTimesTanh(Gate<Lanes>(u, 0, 3), c), b.layer->h_out, u, b.hidden_size);
  }
};

// h = z * h + (1 - z) * n = n + z * (h - n).
template <typename Lanes>
RONDO_LANES void FinishGru(const PassBuffers& b, const Units& u, Lanes update, Lanes candidate) {
  const Lanes h = LoadUnits<Lanes>(b.layer->h_in, u, b.hidden_size);
  StoreUnits(Lanes::MulAdd(update, Lanes::Sub(h, candidate), candidate), b.layer->h_out, u, b.hidden_size);
}

// torch.nn.GRU: n = tanh(x part + r * h part).
struct GruAfterPass {
  static constexpr size_t kFirstColumns = 0, kNumColumns = 3, kFewestGates = 1;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    const Lanes reset = Sigmoid(Gate<Lanes>(u, 0, 0));
    const Lanes candidate = Tanh(Lanes::MulAdd(reset, Gate<Lanes>(u, 2, 0), Gate<Lanes>(u, 1, 0)));
    FinishGru(b, u, Sigmoid(Gate<Lanes>(u, 0, 1)), candidate);
  }
};

// Cho et al. 2014, ONNX GRU with linear_before_reset=0. First r and z, then n, which needs r * h of all units.
struct GruBeforeGatesPass {
  static constexpr size_t kFirstColumns = 0, kNumColumns = 1, kFewestGates = 2;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    const Lanes h = LoadUnits<Lanes>(b.layer->h_in, u, b.hidden_size);
    StoreUnits(Lanes::Mul(Sigmoid(Gate<Lanes>(u, 0, 0)), h), b.reset_h, u, b.padded_hidden_size);
    StoreUnits(Sigmoid(Gate<Lanes>(u, 0, 1)), b.update, u, b.padded_hidden_size);
  }
};

struct GruBeforeCandidatePass {
  static constexpr size_t kFirstColumns = 1, kNumColumns = 1, kFewestGates = 1;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    FinishGru(b, u, LoadUnits<Lanes>(b.update, u, b.padded_hidden_size), Tanh(Gate<Lanes>(u, 0, 0)));
  }
};

// torch.nn.RNN.
struct RnnTanhPass {
  static constexpr size_t kFirstColumns = 0, kNumColumns = 1, kFewestGates = 1;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    StoreUnits(Tanh(Gate<Lanes>(u, 0, 0)), b.layer->h_out, u, b.hidden_size);
  }
};

struct RnnReluPass {
  static constexpr size_t kFirstColumns = 0, kNumColumns = 1, kFewestGates = 1;

  template <typename Lanes>
  RONDO_LANES static void Finish(const PassBuffers& b, const Units& u) {
    StoreUnits(Lanes::Max(Lanes::Broadcast(0.0f), Gate<Lanes>(u, 0, 0)), b.layer->h_out, u, b.hidden_size);
  }
};

// Blocks of units that a tile of so many rows takes at once: enough panels to fill it.
template <typename Lanes, typename Pass>
constexpr size_t BlocksFor(int rows) {
  return std::max<size_t>(1, Lanes::PanelsFor(rows) / Pass::kFewestGates);
}

// One of the tiles that a batch's rows are divided into.
struct RowTile {
  size_t first_row;
  size_t index;
  size_t count;
};

// Sums of the gates of some blocks of units: of each set of columns [rows][stride], of which a row has
// [blocks][gates][kLanes].
struct GateSums {
  size_t first_row;
  size_t first_block;
  size_t num_blocks;
  size_t stride;
  const float* of_columns[3];
};

template <typename Lanes, typename Pass>
RONDO_LANES void FinishBlocks(const PackedColumns* columns, const PassBuffers& buffers, const GateSums& sums,
                              size_t row) {
  for (size_t block = 0; block < sums.num_blocks; ++block) {
    Units units;
    units.row = sums.first_row + row;
    units.first = (sums.first_block + block) * kLanes;
    units.size = std::min(kLanes, buffers.hidden_size - units.first);
    for (size_t i = 0; i < Pass::kNumColumns; ++i) {
      units.gates[i] = sums.of_columns[i] + row * sums.stride + block * columns[i].gates * kLanes;
    }
    units.gates_stride = sums.stride;
    Pass::template Finish<Lanes>(buffers, units);
  }
}

// Some blocks of units of kRows rows.
template <typename Lanes, typename Pass, int kRows>
RONDO_LANES_FUNCTION void RunBlocks(const PackedLayer& layer, const PassBuffers& buffers, const RowTile& tile,
                                    size_t first_block, size_t num_blocks) {
  constexpr size_t kMaxGates = 4;
  alignas(64) float floats[kRows * BlocksFor<Lanes, Pass>(kRows) * kMaxGates * kLanes];
  GateSums sums = {tile.first_row, first_block, num_blocks, sizeof(floats) / sizeof(float) / kRows, {}};
  TileRows rows;
  rows.x_stride = layer.shape.input_size;
  rows.h_stride = buffers.h_stride;
  rows.x = buffers.x + tile.first_row * rows.x_stride;
  rows.h = buffers.h + tile.first_row * rows.h_stride;
  const PackedColumns* const columns = &layer.columns[Pass::kFirstColumns];
  float* next = floats;
  for (size_t i = 0; i < Pass::kNumColumns; ++i) {
    const size_t num_panels = num_blocks * columns[i].gates;
    rows.sums_of_x = buffers.sums_of_x[Pass::kFirstColumns + i];
    rows.summands = rows.sums_of_x == nullptr ? Summands::kXThenH : Summands::kHAfterX;
    Product<Lanes, kRows>(rows, columns[i], first_block * columns[i].gates, num_panels,
                          AheadOf(columns[i], num_panels, tile.index, tile.count), next, sums.stride);
    sums.of_columns[i] = next;
    next += num_panels * kLanes;
  }
  size_t row = 0;
  if constexpr (Lanes::kFinishesTwoRows) {
    for (; row + 2 <= kRows; row += 2) FinishBlocks<TwoRows<Lanes>, Pass>(columns, buffers, sums, row);
  }
  for (; row < kRows; ++row) FinishBlocks<Lanes, Pass>(columns, buffers, sums, row);
}

// As many, but no more than leave room in the L2 cache for the blocks that are fetched meanwhile: 0.9 of the time for a
// gru of 1024 units at 16 rows.
template <typename Lanes, typename Pass>
RONDO_LANES size_t StepFor(const PackedLayer& layer, int rows) {
  constexpr size_t kMostBytes = size_t{512} << 10;
  size_t block_bytes = 0;
  for (size_t i = 0; i < Pass::kNumColumns; ++i) {
    const PackedColumns& columns = layer.columns[Pass::kFirstColumns + i];
    block_bytes += columns.gates * columns.panel_bytes();
  }
  size_t blocks = BlocksFor<Lanes, Pass>(rows);
  while (rows > 2 && blocks > 1 && blocks * block_bytes > kMostBytes) blocks /= 2;
  return blocks;
}

using RunBlocksFunction = void (*)(const PackedLayer&, const PassBuffers&, const RowTile&, size_t, size_t);

// RunBlocks of 1, 2, ... rows.
template <typename Lanes, typename Pass, size_t... kBefore>
constexpr std::array<RunBlocksFunction, sizeof...(kBefore)> RunBlocksByRows(std::index_sequence<kBefore...>) {
  return {RunBlocks<Lanes, Pass, kBefore + 1>...};
}

// Blocks of units outside: their weights are read from memory once and serve all rows from the cache. The rows are
// divided into tiles of nearly equal size.
template <typename Lanes, typename Pass>
RONDO_LANES_FUNCTION void RunPass(const PackedLayer& layer, const PassBuffers& buffers, size_t batch_size) {
  static constexpr auto kRunBlocks = RunBlocksByRows<Lanes, Pass>(std::make_index_sequence<Lanes::kMaxRows>());
  const size_t num_tiles = (batch_size + Lanes::kMaxRows - 1) / Lanes::kMaxRows;
  const size_t least_rows = batch_size / num_tiles;
  const size_t larger_tiles = batch_size % num_tiles;
  const size_t step = StepFor<Lanes, Pass>(layer, static_cast<int>(least_rows + (larger_tiles > 0)));
  const size_t num_steps = (layer.blocks + step - 1) / step;
  for (size_t i = 0; i < num_steps; ++i) {
    const size_t block = (buffers.backwards ? num_steps - 1 - i : i) * step;
    const size_t num_blocks = std::min(step, layer.blocks - block);
    for (size_t tile = 0, row = 0; tile < num_tiles; ++tile) {
      const size_t rows = least_rows + (tile < larger_tiles);
      kRunBlocks[rows - 1](layer, buffers, {row, tile, num_tiles}, block, num_blocks);
      row += rows;
    }
  }
}

// A timestep of the rows of `pass`, whose last two members are for this to set.
template <typename Lanes>
RONDO_LANES_FUNCTION void RunCell(const PackedLayer& layer, PassBuffers pass, size_t batch_size) {
  switch (layer.shape.cell) {
    case Cell::kLstm:
      return RunPass<Lanes, LstmPass>(layer, pass, batch_size);
    case Cell::kGru:
      if (layer.shape.gru_reset == GruReset::kAfter) return RunPass<Lanes, GruAfterPass>(layer, pass, batch_size);
      pass.update = pass.layer->scratchpad;
      pass.reset_h = pass.update + batch_size * pass.padded_hidden_size;
      RunPass<Lanes, GruBeforeGatesPass>(layer, pass, batch_size);
      pass.h = pass.reset_h;
      pass.h_stride = pass.padded_hidden_size;
      return RunPass<Lanes, GruBeforeCandidatePass>(layer, pass, batch_size);
    case Cell::kRnn:
      break;
  }
  if (layer.shape.activation == Activation::kRelu) return RunPass<Lanes, RnnReluPass>(layer, pass, batch_size);
  RunPass<Lanes, RnnTanhPass>(layer, pass, batch_size);
}

RONDO_LANES PassBuffers PassOver(const PackedLayer& layer, const LayerBuffers& buffers) {
  const size_t hidden_size = layer.shape.hidden_size;
  return {buffers.input, buffers.h_in, hidden_size,          &buffers, hidden_size, {}, false,
          nullptr,       nullptr,      layer.blocks * kLanes};
}

template <typename Lanes>
RONDO_LANES_FUNCTION void RunStep(const PackedLayer& layer, const LayerBuffers& buffers, size_t batch_size) {
  RunCell<Lanes>(layer, PassOver(layer, buffers), batch_size);
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_CELLS_H_
