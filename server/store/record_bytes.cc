#include "server/store/record_bytes.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/finite.h"

namespace rondo {
namespace {

// These two go byte by byte: on a little-endian machine compilers make one load or store of that.
void PutFloat(float value, char* bytes) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bytes[0] = static_cast<char>(bits);
  bytes[1] = static_cast<char>(bits >> 8);
  bytes[2] = static_cast<char>(bits >> 16);
  bytes[3] = static_cast<char>(bits >> 24);
}

float FloatOf(const char* bytes) {
  const auto byte = [bytes](size_t i) { return uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i); };
  const uint32_t bits = byte(0) | byte(1) | byte(2) | byte(3);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace

void RecordWriter::Number(uint64_t value, size_t width) {
  char bytes[8];
  for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  bytes_.append(bytes, width);
}

void RecordWriter::NumberAt(size_t at, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) bytes_[at + i] = static_cast<char>(value >> (8 * i));
}

void RecordWriter::Text(absl::string_view text) {
  Number(text.size(), 2);
  Raw(text);
}

void RecordWriter::Floats(absl::Span<const float> values) {
  Number(values.size(), 4);
  size_t at = bytes_.size();
  bytes_.resize(at + values.size() * sizeof(float));
  for (const float value : values) {
    PutFloat(value, &bytes_[at]);
    at += sizeof(float);
  }
}

absl::string_view RecordReader::Take(absl::string_view field, size_t size) {
  if (!status_.ok()) return {};
  if (size > rest_.size()) {
    status_ =
        absl::DataLossError(absl::StrCat("a record's ", field, " takes ", size, " bytes; ", rest_.size(), " are left"));
    return {};
  }
  const absl::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint64_t RecordReader::Number(absl::string_view field, size_t width) {
  uint64_t value = 0;
  const absl::string_view bytes = Take(field, width);
  for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

std::string RecordReader::Text(absl::string_view field, size_t max_bytes) {
  const uint64_t length = Number(field, 2);
  Require(length >= 1 && length <= max_bytes, field, absl::StrCat("has ", length, " bytes; wanted 1 to ", max_bytes));
  const absl::string_view text = Take(field, length);
  const bool printable = std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isprint(c); });
  Require(printable, field, "is not printable ASCII");
  return status_.ok() ? std::string(text) : std::string();
}

std::vector<float> RecordReader::Floats(absl::string_view field) {
  const uint64_t count = Number(field, 4);
  const absl::string_view bytes = Take(field, count * sizeof(float));
  std::vector<float> values(bytes.size() / sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) values[i] = FloatOf(bytes.data() + i * sizeof(float));
  Require(AllFinite(values), field, "has a number that is not finite");
  return values;
}

void RecordReader::Require(bool holds, absl::string_view field, absl::string_view wanted) {
  if (status_.ok() && !holds) status_ = absl::DataLossError(absl::StrCat("a record's ", field, " ", wanted));
}

void RecordReader::RequireEnd() {
  if (!status_.ok() || rest_.empty()) return;
  status_ = absl::DataLossError(absl::StrCat("a record has ", rest_.size(), " bytes after its last field"));
}

}  // namespace rondo
