#include "model/compute_thread.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

// libgomp's own entry point, declared here because clang ships another OpenMP runtime's omp.h: it is libgomp's thread
// count that oneDNN reads.
extern "C" void omp_set_num_threads(int num_threads);

namespace rondo {

void PrepareComputeThread() {
#if defined(__SSE2__)
  constexpr unsigned kFlushToZero = 0x8000;
  constexpr unsigned kDenormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#endif
  omp_set_num_threads(1);
}

}  // namespace rondo
