#ifndef RONDO_MODEL_CONVERT_ARCHIVE_NUMBER_TYPE_H_
#define RONDO_MODEL_CONVERT_ARCHIVE_NUMBER_TYPE_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo::convert {

// How a number lies in a file: little-endian.
enum class NumberType { kFloat16, kBfloat16, kFloat32, kFloat64, kInt8, kUint8, kInt16, kInt32, kInt64, kBool };

int64_t BytesOf(NumberType type);

// Reads all numbers of `bytes`; what is left over at the end is ignored.
std::vector<double> ReadNumbers(NumberType type, absl::string_view bytes);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ARCHIVE_NUMBER_TYPE_H_
