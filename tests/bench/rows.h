#ifndef RONDO_TESTS_BENCH_ROWS_H_
#define RONDO_TESTS_BENCH_ROWS_H_

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "model/kernels/instruction_set.h"
#include "model/kernels/layer.h"

namespace rondo {

// The rows of kernel-bench by subject. Each registers its own with Google Benchmark.
void RegisterLayers(InstructionSet instruction_set);    // kernel, weights
void RegisterNetworks(InstructionSet instruction_set);  // timesteps, step, split

// ---- What both measure with.

// The processor time of this thread, which does all the work: what else the machine does hardly shows.
inline double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

template <typename Runnable>
double Seconds(Runnable& runnable, int repeats) {
  const double start = ThreadSeconds();
  for (int i = 0; i < repeats; ++i) runnable.Run();
  return (ThreadSeconds() - start) / repeats;
}

// The lower one: where a machine is shared, slow turns are others', and a few that seem too fast are its clock's.
inline double Quartile(std::vector<double>& seconds) {
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 4, seconds.end());
  return seconds[seconds.size() / 4];
}

inline double Median(std::vector<double>& seconds) {
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

struct NamedCell {
  const char* name;
  Cell cell;
  GruReset reset;
};
inline constexpr NamedCell kBenchCells[] = {{"lstm", Cell::kLstm, GruReset::kAfter},
                                            {"gru_after", Cell::kGru, GruReset::kAfter},
                                            {"gru_before", Cell::kGru, GruReset::kBefore},
                                            {"rnn", Cell::kRnn, GruReset::kAfter}};

inline int Iterations(size_t hidden_size) { return hidden_size >= 1024 ? 15 : hidden_size >= 512 ? 50 : 200; }

}  // namespace rondo

#endif  // RONDO_TESTS_BENCH_ROWS_H_
