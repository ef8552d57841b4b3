#include "model/network/tensor_slot.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo {

int64_t TensorShape::size() const {
  int64_t size = 1;
  for (int64_t dimension : dimensions) size *= dimension;
  return size;
}

std::string TensorShape::ToString() const { return absl::StrCat("[", absl::StrJoin(dimensions, "]["), "]"); }

}  // namespace rondo
