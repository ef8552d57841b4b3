#include "model/convert/graph/array.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rondo::convert {

std::optional<int64_t> SizeOf(absl::Span<const int64_t> shape) {
  int64_t size = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(size, dimension, &size) || size > kMaxArrayValues) return std::nullopt;
  }
  return size;
}

std::string ShapeText(absl::Span<const int64_t> shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

Array Filled(std::vector<int64_t> shape, double value) {
  const int64_t size = SizeOf(shape).value_or(0);
  return {std::move(shape), std::vector<double>(size, value)};
}

Array Reshaped(Array array, std::vector<int64_t> shape) {
  array.shape = std::move(shape);
  return array;
}

Array Transposed(const Array& matrix) {
  const int64_t rows = matrix.shape[0], columns = matrix.shape[1];
  Array result = Filled({columns, rows}, 0);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      result.values[column * rows + row] = matrix.values[row * columns + column];
    }
  }
  return result;
}

Array Regated(const Array& array, absl::Span<const int64_t> order) {
  const int64_t block = array.size() / static_cast<int64_t>(order.size());
  Array result{array.shape, {}};
  result.values.reserve(array.values.size());
  for (const int64_t gate : order) {
    const auto from = array.values.begin() + gate * block;
    result.values.insert(result.values.end(), from, from + block);
  }
  return result;
}

Array Rows(const Array& array, int64_t from, int64_t to) {
  const int64_t row = array.shape[0] == 0 ? 0 : array.size() / array.shape[0];
  Array result{array.shape, {}};
  result.shape[0] = to - from;
  result.values.assign(array.values.begin() + from * row, array.values.begin() + to * row);
  return result;
}

}  // namespace rondo::convert
