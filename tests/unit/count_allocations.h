#ifndef RONDO_TESTS_UNIT_COUNT_ALLOCATIONS_H_
#define RONDO_TESTS_UNIT_COUNT_ALLOCATIONS_H_

// Counts every allocation of the process. For the one source file of a test binary of its own.

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace rondo {
inline std::atomic<size_t> allocations{0};
}  // namespace rondo

// Not inline: gcc would take them for a new and a delete that do not go together.
[[gnu::noinline]] void* operator new(size_t size) {
  rondo::allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

#endif  // RONDO_TESTS_UNIT_COUNT_ALLOCATIONS_H_
