#include "model/convert/onnx/wire_reader.h"

#include <cstring>

#include "model/convert/archive/little_endian.h"

namespace rondo::convert {

bool WireReader::ReadVarint(absl::string_view* from, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (from->empty()) break;
    const uint64_t byte = static_cast<uint8_t>(from->front());
    from->remove_prefix(1);
    *value |= (byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  damaged_ = true;
  return false;
}

bool WireReader::Next() {
  uint64_t tag = 0;
  if (damaged_ || rest_.empty() || !ReadVarint(&rest_, &tag)) return false;
  number_ = tag >> 3;
  kind_ = static_cast<Kind>(tag & 7);
  whole_ = 0;
  bytes_ = {};
  uint64_t size = 0;
  switch (kind_) {
    case Kind::kWhole:
      return ReadVarint(&rest_, &whole_);
    case Kind::kFixed64:
      size = 8;
      break;
    case Kind::kFixed32:
      size = 4;
      break;
    case Kind::kBytes:
      if (!ReadVarint(&rest_, &size)) return false;
      break;
    default:
      damaged_ = true;
      return false;
  }
  if (size > rest_.size()) {
    damaged_ = true;
    return false;
  }
  bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

float WireReader::number32() const { return bytes_.size() == sizeof(float) ? LittleEndian<float>(bytes_, 0) : 0; }

void WireReader::AppendWholes(std::vector<int64_t>* values) {
  if (kind_ == Kind::kWhole) values->push_back(whole());
  if (kind_ != Kind::kBytes) return;
  absl::string_view packed = bytes_;
  for (uint64_t value = 0; !packed.empty() && ReadVarint(&packed, &value);) {
    values->push_back(static_cast<int64_t>(value));
  }
}

void WireReader::AppendFloats(std::vector<float>* values) {
  for (size_t i = 0; i + sizeof(float) <= bytes_.size(); i += sizeof(float)) {
    values->push_back(LittleEndian<float>(bytes_, i));
  }
}

}  // namespace rondo::convert
