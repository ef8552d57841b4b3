#ifndef RONDO_MODEL_KERNELS_TIMESTEPS_H_
#define RONDO_MODEL_KERNELS_TIMESTEPS_H_

#include <algorithm>
#include <cstddef>

#include "model/kernels/cells.h"

// RONDO_LANES and RONDO_LANES_FUNCTION: see tiles.h.

// Timesteps of one row.

namespace rondo {
namespace {

// The sums over x of some timesteps: sums[timestep][panels][kLanes].
template <typename Lanes, int kRows>
RONDO_LANES_FUNCTION void SumInputs(const PackedColumns& columns, const float* inputs, size_t first_panel,
                                    size_t num_panels, float* sums, size_t stride) {
  TileRows rows;
  rows.summands = Summands::kX;
  rows.x = rows.h = inputs;
  rows.x_stride = rows.h_stride = columns.inputs;
  Product<Lanes, kRows>(rows, columns, first_panel, num_panels, {}, sums + first_panel * kLanes, stride);
}

template <typename Lanes>
RONDO_LANES_FUNCTION void SumAllInputs(const PackedColumns& columns, size_t panels, const float* inputs,
                                       size_t timesteps, float* sums) {
  constexpr int kRows = Lanes::kMaxRows;
  constexpr size_t kStep = Lanes::PanelsFor(kRows);
  const size_t stride = panels * kLanes;
  for (size_t panel = 0; panel < panels; panel += kStep) {
    const size_t num_panels = std::min(kStep, panels - panel);
    size_t t = 0;
    for (; t + kRows <= timesteps; t += kRows) {
      SumInputs<Lanes, kRows>(columns, inputs + t * columns.inputs, panel, num_panels, sums + t * stride, stride);
    }
    for (; t < timesteps; ++t) {
      SumInputs<Lanes, 1>(columns, inputs + t * columns.inputs, panel, num_panels, sums + t * stride, stride);
    }
  }
}

template <typename Lanes>
RONDO_LANES_FUNCTION void RunTimesteps(const PackedLayer& layer, const TimestepBuffers& buffers, size_t timesteps) {
  const size_t hidden_size = layer.shape.hidden_size;
  LayerBuffers one;
  one.h_in = buffers.h_in;
  one.c_in = one.c_out = buffers.c;
  one.scratchpad = buffers.scratchpad;
  for (size_t i = 0; i < layer.columns.size(); ++i) {
    const size_t panels = layer.blocks * layer.columns[i].gates;
    SumAllInputs<Lanes>(layer.columns[i], panels, buffers.inputs, timesteps, one.scratchpad);
    one.scratchpad += timesteps * panels * kLanes;
  }
  for (size_t t = 0; t < timesteps; ++t) {
    one.h_out = buffers.h_out + t * hidden_size;
    PassBuffers pass = PassOver(layer, one);
    pass.backwards = t % 2 == 1;  // it begins with the weights that the timestep before left in the cache
    const float* sums = buffers.scratchpad;
    for (size_t i = 0; i < layer.columns.size(); ++i) {
      const size_t stride = layer.blocks * layer.columns[i].gates * kLanes;
      pass.sums_of_x[i] = sums + t * stride;
      sums += timesteps * stride;
    }
    RunCell<Lanes>(layer, pass, 1);
    one.h_in = one.h_out;
  }
}

}  // namespace
}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_TIMESTEPS_H_
