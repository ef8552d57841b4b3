#ifndef RONDO_MODEL_TRAIN_BENCHMARK_H_
#define RONDO_MODEL_TRAIN_BENCHMARK_H_

#include "absl/status/status.h"

namespace rondo::train {

// Measures an lstm of 64 timesteps x 64 series and 64, 128 and 256 units, and prints GFLOP/s and steps/s of the whole
// optimiser step (batch, weights in, forward, loss, backward, clipping, AdamW), of oneDNN's bare forward and backward,
// and their ratio; how many times as fast the step is as with one thread; and how many CPUs were in use. All of it is
// measured in turns in this one run; one thread's seconds are CPU time. threads 0: one for each CPU that the process
// may use.
absl::Status RunBenchmark(int threads);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_BENCHMARK_H_
