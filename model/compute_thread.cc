#include "model/compute_thread.h"

#include "model/flush_denormals.h"

// libgomp's own entry point, declared here because clang ships another OpenMP runtime's omp.h: it is libgomp's thread
// count that oneDNN reads.
extern "C" void omp_set_num_threads(int num_threads);

namespace rondo {

void PrepareComputeThread() {
  FlushDenormals();
  omp_set_num_threads(1);
}

}  // namespace rondo
