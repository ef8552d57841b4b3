#ifndef RONDO_MODEL_KERNELS_ROW_PLACES_H_
#define RONDO_MODEL_KERNELS_ROW_PLACES_H_

#include <cstddef>

#include "model/kernels/cell_kernel.h"

namespace rondo {

struct KernelSizes {
  size_t input_size;
  size_t hidden_size;
  bool has_c;  // lstm
};

// Tells whether the result of a row is, bit for bit, independent of its place in a batch of this size.
//
// A matrix product works on blocks of rows, and may sum those that are left over in another order: without AVX-512,
// oneDNN 2.6 takes blocks of six, and one to three rows beyond them come out otherwise. Which sizes hold is no
// library's promise, so it is tried, with random rows at all places. False also if the kernel fails. Throws
// std::bad_alloc. REQUIRES: the kernel was made for `batch_size`.
bool PlacesAreEqual(const CellKernel& kernel, const KernelSizes& sizes, size_t batch_size);

}  // namespace rondo

#endif  // RONDO_MODEL_KERNELS_ROW_PLACES_H_
