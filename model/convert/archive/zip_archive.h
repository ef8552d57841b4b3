#ifndef RONDO_MODEL_CONVERT_ARCHIVE_ZIP_ARCHIVE_H_
#define RONDO_MODEL_CONVERT_ARCHIVE_ZIP_ARCHIVE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rondo::convert {

// One file of a zip archive, as the archive's directory announces it.
struct ZipEntry {
  std::string name;
  uint16_t method = 0;  // 0: stored, 8: deflated
  uint32_t crc = 0;
  uint64_t packed_bytes = 0, bytes = 0;
  uint64_t header_offset = 0;
};

// A zip archive in memory (APPNOTE 6.3, with the 64-bit sizes of zip64; no encryption, one disk). The bytes are
// hostile: every offset is checked, and nothing is allocated for a size that the archive cannot hold.
class ZipArchive {
 public:
  // True: the bytes begin as a zip archive does.
  static bool Looks(absl::string_view bytes);
  // DATA_LOSS: which rule is broken.
  static absl::StatusOr<ZipArchive> Open(std::string bytes);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  // Null: the archive has no such file.
  const ZipEntry* Find(absl::string_view name) const;
  // The one file whose name is `name` or ends in "/`name`". Null: none, or several.
  const ZipEntry* FindLast(absl::string_view name) const;
  // Unpacks a file and checks its sum. DATA_LOSS.
  absl::StatusOr<std::string> Read(const ZipEntry& entry) const;

 private:
  explicit ZipArchive(std::string bytes) : bytes_(std::move(bytes)) {}

  std::string bytes_;
  std::vector<ZipEntry> entries_;
};

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ARCHIVE_ZIP_ARCHIVE_H_
