#ifndef RONDO_MODEL_CONVERT_ARCHIVE_LITTLE_ENDIAN_H_
#define RONDO_MODEL_CONVERT_ARCHIVE_LITTLE_ENDIAN_H_

#include <cstdint>
#include <cstring>

#include "absl/base/config.h"
#include "absl/strings/string_view.h"

#ifndef ABSL_IS_LITTLE_ENDIAN
#error "the files that are read are little-endian and are read without swapping bytes"
#endif

namespace rondo::convert {

// The number at `offset`. REQUIRES: offset + sizeof(T) <= bytes.size().
template <typename T>
T LittleEndian(absl::string_view bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ARCHIVE_LITTLE_ENDIAN_H_
