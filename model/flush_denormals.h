#ifndef RONDO_MODEL_FLUSH_DENORMALS_H_
#define RONDO_MODEL_FLUSH_DENORMALS_H_

#if defined(__SSE2__)
#include <xmmintrin.h>
#elif defined(__aarch64__)
#include <cstdint>
#endif

namespace rondo {

// From now on this thread, and the threads that it starts, take and give zero in place of denormal floats, which slow a
// CPU down many times.
inline void FlushDenormals() {
#if defined(__SSE2__)
  constexpr unsigned kFlushToZero = 0x8000;
  constexpr unsigned kDenormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#elif defined(__aarch64__)
  constexpr uint64_t kFlushToZero = uint64_t{1} << 24;  // of inputs and results: Arm's reference manual, FPCR.FZ
  uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" : : "r"(control | kFlushToZero));
#endif
}

}  // namespace rondo

#endif  // RONDO_MODEL_FLUSH_DENORMALS_H_
