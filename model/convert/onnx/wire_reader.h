#ifndef RONDO_MODEL_CONVERT_ONNX_WIRE_READER_H_
#define RONDO_MODEL_CONVERT_ONNX_WIRE_READER_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo::convert {

// Reads the fields of one protobuf message, as they lie in the bytes
// (https://protobuf.dev/programming-guides/encoding). Borrows the bytes and copies nothing; a message inside a field is
// read by a reader of its own.
class WireReader {
 public:
  explicit WireReader(absl::string_view bytes) : rest_(bytes) {}

  // Goes to the next field. False: there is none, or the bytes are damaged.
  bool Next();
  bool damaged() const { return damaged_; }

  uint64_t number() const { return number_; }  // of the field
  // The field's value, if it is of that kind; else 0 or empty.
  int64_t whole() const { return static_cast<int64_t>(whole_); }
  float number32() const;
  absl::string_view bytes() const { return bytes_; }
  // Appends a repeated field's values, which lie one by one or packed together.
  void AppendWholes(std::vector<int64_t>* values);
  void AppendFloats(std::vector<float>* values);

 private:
  enum class Kind { kWhole = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  bool ReadVarint(absl::string_view* from, uint64_t* value);

  absl::string_view rest_, bytes_;
  uint64_t number_ = 0, whole_ = 0;
  Kind kind_ = Kind::kWhole;
  bool damaged_ = false;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_WIRE_READER_H_
