#ifndef RONDO_MODEL_CONVERT_GRAPH_ARRAY_H_
#define RONDO_MODEL_CONVERT_GRAPH_ARRAY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace rondo::convert {

// Most values that one array may have; whatever announces more is refused before memory is taken.
constexpr int64_t kMaxArrayValues = int64_t{1} << 28;

// Numbers with a shape, row-major. float64 holds every float32, float16 and the whole numbers that shapes are made of.
struct Array {
  std::vector<int64_t> shape;
  std::vector<double> values;
  bool whole = false;  // the source kept them as whole numbers, so that they divide as such

  int64_t size() const { return static_cast<int64_t>(values.size()); }
  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  bool empty() const { return values.empty(); }
};

// Multiplies the dimensions. Nullopt: one is negative, or there would be more than kMaxArrayValues values.
std::optional<int64_t> SizeOf(absl::Span<const int64_t> shape);

std::string ShapeText(absl::Span<const int64_t> shape);  // "[4, 16]"

// Each of these returns the array that its arguments describe. REQUIRES: they fit.
Array Filled(std::vector<int64_t> shape, double value);
Array Reshaped(Array array, std::vector<int64_t> shape);
Array Transposed(const Array& matrix);  // rank 2
// The blocks of the first axis in another order: a source's gates in ours. `order` holds the source's places.
Array Regated(const Array& array, absl::Span<const int64_t> order);
// Rows `from` to `to` of the first axis.
Array Rows(const Array& array, int64_t from, int64_t to);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_ARRAY_H_
