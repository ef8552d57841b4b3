#ifndef RONDO_TESTS_UNIT_MODEL_CONVERT_ZIP_BYTES_H_
#define RONDO_TESTS_UNIT_MODEL_CONVERT_ZIP_BYTES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rondo::convert {

// A stored file of a zip archive in the making. What is set is written in place of what is true.
struct ZippedFile {
  std::string name, content;
  std::optional<uint32_t> crc = {}, bytes = {}, packed_bytes = {}, header_offset = {};
  uint16_t method = 0, flags = 0;
};

std::string ZipBytes(const std::vector<ZippedFile>& files);

}  // namespace rondo::convert

#endif  // RONDO_TESTS_UNIT_MODEL_CONVERT_ZIP_BYTES_H_
