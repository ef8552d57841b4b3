#ifndef RONDO_MODEL_CONVERT_EXPORT_WIRE_WRITER_H_
#define RONDO_MODEL_CONVERT_EXPORT_WIRE_WRITER_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace rondo::convert {

// Appends the fields of one protobuf message to its bytes.
class WireWriter {
 public:
  void Whole(uint64_t number, int64_t value) {
    Varint(number << 3);
    Varint(static_cast<uint64_t>(value));
  }
  void Number(uint64_t number, float value) {
    Varint(number << 3 | 5);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  void Bytes(uint64_t number, absl::string_view value) {
    Varint(number << 3 | 2);
    Varint(value.size());
    bytes_.append(value.data(), value.size());
  }
  // The fields of another message, as if they were written here.
  void Append(const WireWriter& other) { bytes_ += other.bytes_; }
  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(uint64_t value) {
    for (; value > 0x7F; value >>= 7) bytes_.push_back(static_cast<char>((value & 0x7F) | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }

  std::string bytes_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_EXPORT_WIRE_WRITER_H_
