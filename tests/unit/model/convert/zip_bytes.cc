#include "tests/unit/model/convert/zip_bytes.h"

#include <zlib.h>

namespace rondo::convert {
namespace {

void Append(std::string* out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

// What the local header and the directory have alike, from the flags to the sizes and the name's length.
void AppendShared(std::string* out, const ZippedFile& file) {
  const auto* content = reinterpret_cast<const Bytef*>(file.content.data());
  Append(out, file.flags, 2);
  Append(out, file.method, 2);
  Append(out, 0, 4);  // time and date
  Append(out, file.crc.value_or(static_cast<uint32_t>(crc32_z(0, content, file.content.size()))), 4);
  Append(out, file.packed_bytes.value_or(static_cast<uint32_t>(file.content.size())), 4);
  Append(out, file.bytes.value_or(static_cast<uint32_t>(file.content.size())), 4);
  Append(out, file.name.size(), 2);
  Append(out, 0, 2);  // extra
}

}  // namespace

std::string ZipBytes(const std::vector<ZippedFile>& files) {
  std::string out, directory;
  for (const ZippedFile& file : files) {
    directory += std::string("PK\x01\x02", 4);
    Append(&directory, 20, 2);
    Append(&directory, 20, 2);
    AppendShared(&directory, file);
    for (const int bytes : {2, 2, 2, 4}) Append(&directory, 0, bytes);  // comment, disk, attributes
    Append(&directory, file.header_offset.value_or(static_cast<uint32_t>(out.size())), 4);
    directory += file.name;
    out += std::string("PK\x03\x04", 4);
    Append(&out, 20, 2);
    AppendShared(&out, file);
    out += file.name + file.content;
  }
  const uint64_t offset = out.size();
  out += directory + std::string("PK\x05\x06", 4);
  Append(&out, 0, 4);
  Append(&out, files.size(), 2);
  Append(&out, files.size(), 2);
  Append(&out, directory.size(), 4);
  Append(&out, offset, 4);
  Append(&out, 0, 2);
  return out;
}

}  // namespace rondo::convert
