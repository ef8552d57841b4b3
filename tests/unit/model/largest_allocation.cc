#include "tests/unit/model/largest_allocation.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

// Apart from the tests, so that the compiler does not see one half of the pair inlined beside its own idea of the
// other.
static std::atomic<size_t> largest{0};

void* operator new(size_t size) {
  largest = std::max(largest.load(), size);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace rondo {

void ResetLargestAllocation() { largest = 0; }
size_t LargestAllocation() { return largest; }

}  // namespace rondo
