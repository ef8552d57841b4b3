#include "server/rpc/triton/infer_parameter.h"

#include <cstddef>

namespace rondo {
namespace {

enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };  // groups are of proto2 alone

constexpr uint64_t Tag(uint64_t field, WireType type) { return field << 3 | type; }

// Protobuf's wire format, front to back. Each method is false where the bytes end early or are none of it.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : bytes_(bytes) {}

  bool AtEnd() const { return bytes_.empty(); }

  bool Number(uint64_t* number) {
    *number = 0;
    constexpr size_t kMaxBytes = 10;
    for (size_t i = 0; i < bytes_.size() && i < kMaxBytes; ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[i]);
      *number |= uint64_t{byte & 0x7fu} << (7 * i);
      if (byte < 0x80) return Advance(i + 1);
    }
    return false;
  }

  bool Bytes(absl::string_view* bytes) {
    uint64_t size = 0;
    if (!Number(&size) || size > bytes_.size()) return false;
    *bytes = bytes_.substr(0, size);
    return Advance(size);
  }

  bool Skip(uint64_t tag) {
    uint64_t number = 0;
    absl::string_view bytes;
    switch (tag & 7) {
      case kVarint:
        return Number(&number);
      case kFixed64:
        return Advance(8);
      case kBytes:
        return Bytes(&bytes);
      case kFixed32:
        return Advance(4);
      default:
        return false;
    }
  }

 private:
  bool Advance(size_t count) {
    if (count > bytes_.size()) return false;
    bytes_.remove_prefix(count);
    return true;
  }

  absl::string_view bytes_;
};

// The value's fields, as inference.InferParameter numbers them.
bool ReadValue(absl::string_view bytes, InferParameter* parameter) {
  using Type = InferParameter::Type;
  Reader reader(bytes);
  while (!reader.AtEnd()) {
    uint64_t tag = 0;
    bool read = reader.Number(&tag);
    if (tag == Tag(1, kVarint)) {
      parameter->type = Type::kBool;
      read = read && reader.Number(&parameter->number);
    } else if (tag == Tag(2, kVarint) || tag == Tag(5, kVarint)) {
      parameter->type = tag == Tag(2, kVarint) ? Type::kInt64 : Type::kUint64;
      read = read && reader.Number(&parameter->number);
    } else if (tag == Tag(3, kBytes)) {
      parameter->type = Type::kString;
      read = read && reader.Bytes(&parameter->text);
    } else {
      if (tag == Tag(4, kFixed64)) parameter->type = Type::kDouble;
      read = read && reader.Skip(tag);
    }
    if (!read) return false;
  }
  return true;
}

}  // namespace

bool ReadParameter(absl::string_view bytes, InferParameter* parameter) {
  *parameter = InferParameter();
  Reader reader(bytes);
  while (!reader.AtEnd()) {
    uint64_t tag = 0;
    absl::string_view value;
    bool read = reader.Number(&tag);
    if (tag == Tag(1, kBytes)) {
      read = read && reader.Bytes(&parameter->key);
    } else if (tag == Tag(2, kBytes)) {
      read = read && reader.Bytes(&value) && ReadValue(value, parameter);
    } else {
      read = read && reader.Skip(tag);
    }
    if (!read) return false;
  }
  return true;
}

}  // namespace rondo
