#ifndef RONDO_TESTS_UNIT_MODEL_LARGEST_ALLOCATION_H_
#define RONDO_TESTS_UNIT_MODEL_LARGEST_ALLOCATION_H_

#include <cstddef>

namespace rondo {

// Bytes of the largest `operator new` of this program since the last reset. Linking this file replaces operator new.
void ResetLargestAllocation();
size_t LargestAllocation();

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_MODEL_LARGEST_ALLOCATION_H_
