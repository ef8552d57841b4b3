#ifndef RONDO_TESTS_BENCH_BARE_PRIMITIVE_H_
#define RONDO_TESTS_BENCH_BARE_PRIMITIVE_H_

#include <cstddef>
#include <memory>

#include "model/kernels/layer.h"

namespace rondo {

// One timestep of one layer on oneDNN with nothing around it: no states to gather, no head. What Network::Step is
// measured against. Weights and inputs are small random numbers.
class BarePrimitive {
 public:
  // input width == hidden_size. A rnn's activation is tanh.
  BarePrimitive(Cell cell, GruReset reset, size_t hidden_size, size_t batch_size);
  ~BarePrimitive();

  void Run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_BENCH_BARE_PRIMITIVE_H_
