#ifndef RONDO_TESTS_UNIT_SERVE_CALENDAR_MODEL_H_
#define RONDO_TESTS_UNIT_SERVE_CALENDAR_MODEL_H_

#include <memory>
#include <utility>

#include "gtest/gtest.h"
#include "model/compute_thread.h"
#include "model/model.h"

namespace rondo {

// Inputs a, b and the hour; output b is fed back into input a. With `tokens` a token model instead.
inline Model CalendarModel(double step_seconds, int64_t tokens = 0) {
  ModelSpec spec;
  spec.cell = Cell::kRnn;
  spec.num_layers = spec.hidden_size = 1;
  if (tokens > 0) {
    spec.tokens = tokens;
    spec.embedding_size = 4;
  } else {
    spec.inputs = {{"a", 0, 1}, {"b", 0, 1}};
    spec.calendar = {Calendar::kHour};
    spec.feedback = {{"v", "a"}};
  }
  spec.outputs = {{"u", 0, 1, ""}, {"v", 0, 1, ""}};
  spec.step_seconds = step_seconds;
  Weights weights;
  weights.layers.push_back({{1, 1, 1, 1}, {1}, {0}, {0}});
  weights.embedding.assign(static_cast<size_t>(tokens * 4), 0.5f);
  weights.head_weight = {1, 1};
  weights.head_bias = {0, 0};
  PrepareComputeThread();
  absl::StatusOr<std::unique_ptr<Network>> network = Network::Create(spec, weights, {});
  EXPECT_TRUE(network.ok()) << network.status();
  return Model{"m", 1, 0, *std::move(network)};
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_SERVE_CALENDAR_MODEL_H_
