// Any bytes as a stored session: what is read is written as the same bytes again; all else is DATA_LOSS, or a newer
// format's. So that the fields behind the checksum are reached, the bytes are also read with the header, the length and
// the checksum that they should have.

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "server/store/session_record.h"

namespace {

void Read(const std::string& bytes) {
  const absl::StatusOr<rondo::StoredRecord> record = rondo::DecodeRecord(bytes);
  if (!record.ok()) {
    if (!absl::IsDataLoss(record.status()) && !absl::IsFailedPrecondition(record.status())) std::abort();
    return;
  }
  if (std::visit([](const auto& value) { return rondo::Encode(value); }, *record) != bytes) std::abort();
}

std::string Sealed(std::string bytes) {
  if (bytes.size() < 28) bytes.resize(28);
  bytes.replace(0, 12, std::string("\x89RONDO\r\n\1\0\0\0", 12));
  for (size_t i = 0; i < 8; ++i) bytes[16 + i] = static_cast<char>(uint64_t{bytes.size()} >> (8 * i));
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size() - 4);
  for (size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<char>(sum >> (8 * i));
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(input), size);
  Read(bytes);
  Read(Sealed(bytes));
  return 0;
}
