#ifndef RONDO_TESTS_UNIT_MODEL_ALLOCATION_COUNT_H_
#define RONDO_TESTS_UNIT_MODEL_ALLOCATION_COUNT_H_

#include <cstdint>

namespace rondo {

// Heap allocations, by who asked. Linking allocation_count.cc replaces malloc and operator new for the whole binary.
struct AllocationCount {
  int64_t onednn = 0;  // by oneDNN's library, whose execute() makes a few small objects of its own
  int64_t others = 0;
};

// Counts the allocations of all threads between the two calls.
void StartCountingAllocations();
AllocationCount StopCountingAllocations();

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_ALLOCATION_COUNT_H_
