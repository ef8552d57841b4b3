#include "model/convert/archive/number_type.h"

#include <cmath>
#include <limits>

#include "model/convert/archive/little_endian.h"

namespace rondo::convert {
namespace {

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction bits.
double DoubleOfHalf(uint16_t half) {
  const int exponent = (half >> 10) & 0x1F, fraction = half & 0x3FF;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  if (exponent == 0x1F) return fraction == 0 ? sign * HUGE_VAL : std::numeric_limits<double>::quiet_NaN();
  return sign * std::ldexp(fraction + 1024, exponent - 25);
}

double DoubleOfBfloat16(uint16_t half) {
  const uint32_t bits = uint32_t{half} << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

template <typename Item, typename Convert>
std::vector<double> Read(absl::string_view bytes, Convert convert) {
  std::vector<double> values(bytes.size() / sizeof(Item));
  for (size_t i = 0; i < values.size(); ++i) values[i] = convert(LittleEndian<Item>(bytes, i * sizeof(Item)));
  return values;
}

template <typename Item>
std::vector<double> ReadPlain(absl::string_view bytes) {
  return Read<Item>(bytes, [](Item item) { return static_cast<double>(item); });
}

}  // namespace

int64_t BytesOf(NumberType type) {
  switch (type) {
    case NumberType::kFloat64:
    case NumberType::kInt64:
      return 8;
    case NumberType::kFloat32:
    case NumberType::kInt32:
      return 4;
    case NumberType::kFloat16:
    case NumberType::kBfloat16:
    case NumberType::kInt16:
      return 2;
    case NumberType::kInt8:
    case NumberType::kUint8:
    case NumberType::kBool:
      return 1;
  }
  return 1;
}

std::vector<double> ReadNumbers(NumberType type, absl::string_view bytes) {
  switch (type) {
    case NumberType::kFloat64:
      return ReadPlain<double>(bytes);
    case NumberType::kInt64:
      return ReadPlain<int64_t>(bytes);
    case NumberType::kFloat32:
      return ReadPlain<float>(bytes);
    case NumberType::kInt32:
      return ReadPlain<int32_t>(bytes);
    case NumberType::kFloat16:
      return Read<uint16_t>(bytes, DoubleOfHalf);
    case NumberType::kBfloat16:
      return Read<uint16_t>(bytes, DoubleOfBfloat16);
    case NumberType::kInt16:
      return ReadPlain<int16_t>(bytes);
    case NumberType::kInt8:
      return ReadPlain<int8_t>(bytes);
    case NumberType::kUint8:
    case NumberType::kBool:
      return ReadPlain<uint8_t>(bytes);
  }
  return {};
}

}  // namespace rondo::convert
