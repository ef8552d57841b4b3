#ifndef RONDO_MODEL_NETWORK_TENSOR_SLOT_H_
#define RONDO_MODEL_NETWORK_TENSOR_SLOT_H_

#include <cstdint>
#include <string>
#include <vector>

namespace rondo {

struct TensorShape {
  std::vector<int64_t> dimensions;

  int64_t size() const;          // floats; 1 for no dimension
  std::string ToString() const;  // "[4][16]"
};

// One tensor of a model: the name our own files give it, the shape that follows from the spec, and where it lives.
struct TensorSlot {
  std::string name;
  TensorShape shape;
  std::vector<float>* values;
  bool may_be_absent = false;  // a file without it, and without its like of one element, means zeros
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_TENSOR_SLOT_H_
