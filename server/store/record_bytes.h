#ifndef RONDO_SERVER_STORE_RECORD_BYTES_H_
#define RONDO_SERVER_STORE_RECORD_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rondo {

// Writes the parts that a record is made of, little-endian on every machine.
class RecordWriter {
 public:
  explicit RecordWriter(size_t expected_bytes) { bytes_.reserve(expected_bytes); }

  // An unsigned number of `width` bytes, 1 to 8.
  void Number(uint64_t value, size_t width);
  // Writes such a number at byte `at`, over what is there.
  void NumberAt(size_t at, uint64_t value, size_t width);
  void Signed(int64_t value) { Number(static_cast<uint64_t>(value), 8); }
  // Writes the text's length in two bytes, then its bytes. REQUIRES: text.size() < 2^16.
  void Text(absl::string_view text);
  // Writes the count of floats in four bytes, then the floats. REQUIRES: values.size() < 2^32.
  void Floats(absl::Span<const float> values);
  void Raw(absl::string_view bytes) { bytes_.append(bytes.data(), bytes.size()); }

  const std::string& bytes() const { return bytes_; }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what RecordWriter writes. The bytes are hostile until checked: nothing is allocated that they only announce.
//
// The first failure is kept, as DATA_LOSS that names the field; from then on every read gives zero or nothing.
class RecordReader {
 public:
  explicit RecordReader(absl::string_view bytes) : rest_(bytes) {}

  uint64_t Number(absl::string_view field, size_t width);
  int64_t Signed(absl::string_view field) { return static_cast<int64_t>(Number(field, 8)); }
  // Wants 1 to `max_bytes` bytes of printable ASCII.
  std::string Text(absl::string_view field, size_t max_bytes);
  // Wants finite floats.
  std::vector<float> Floats(absl::string_view field);

  // Fails unless `holds`; `wanted` completes "a record's FIELD ...".
  void Require(bool holds, absl::string_view field, absl::string_view wanted);
  // Fails if bytes are left.
  void RequireEnd();
  const absl::Status& status() const { return status_; }

 private:
  // Takes the next `size` bytes, or none.
  absl::string_view Take(absl::string_view field, size_t size);

  absl::string_view rest_;
  absl::Status status_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_RECORD_BYTES_H_
