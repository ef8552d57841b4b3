#include "model/convert/archive/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "model/convert/archive/little_endian.h"
#include "model/json/json_text.h"

namespace rondo::convert {
namespace {

constexpr absl::string_view kLocalHeader("PK\3\4", 4), kDirectoryEntry("PK\1\2", 4), kDirectoryEnd("PK\5\6", 4),
    kDirectoryEnd64("PK\6\6", 4), kLocator64("PK\6\7", 4);
constexpr uint64_t kLocalHeaderBytes = 30, kDirectoryEntryBytes = 46, kDirectoryEndBytes = 22, kLocatorBytes = 20,
                   kDirectoryEnd64Bytes = 56, kMaxCommentBytes = 65535;
constexpr uint64_t kMaxEntries = uint64_t{1} << 20;
constexpr uint64_t kMaxRatio = 1040;  // deflate makes at most 1032 bytes of one

absl::Status Broken(absl::string_view rule) {
  return absl::DataLossError(absl::StrCat("the zip archive is damaged: ", rule));
}

struct Directory {
  uint64_t entries = 0, bytes = 0, offset = 0;
};

// True: `size` bytes stand at `offset`.
bool Holds(absl::string_view bytes, uint64_t offset, uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

bool StartsAt(absl::string_view bytes, uint64_t offset, absl::string_view mark) {
  return Holds(bytes, offset, mark.size()) && bytes.substr(offset, mark.size()) == mark;
}

absl::StatusOr<Directory> FindDirectory(absl::string_view bytes) {
  if (bytes.size() < kDirectoryEndBytes) return Broken("it is too short");
  const uint64_t last = bytes.size() - kDirectoryEndBytes;
  uint64_t end = last;
  while (!StartsAt(bytes, end, kDirectoryEnd)) {
    if (end == 0 || last - end == kMaxCommentBytes) return Broken("its directory has no end");
    --end;
  }
  Directory directory = {LittleEndian<uint16_t>(bytes, end + 10), LittleEndian<uint32_t>(bytes, end + 12),
                         LittleEndian<uint32_t>(bytes, end + 16)};
  if (end >= kLocatorBytes && StartsAt(bytes, end - kLocatorBytes, kLocator64)) {
    const uint64_t end64 = LittleEndian<uint64_t>(bytes, end - kLocatorBytes + 8);
    if (!Holds(bytes, end64, kDirectoryEnd64Bytes) || !StartsAt(bytes, end64, kDirectoryEnd64)) {
      return Broken("its 64-bit directory is not where it is said to be");
    }
    directory = {LittleEndian<uint64_t>(bytes, end64 + 32), LittleEndian<uint64_t>(bytes, end64 + 40),
                 LittleEndian<uint64_t>(bytes, end64 + 48)};
  }
  if (!Holds(bytes, directory.offset, directory.bytes)) return Broken("its directory reaches beyond the file");
  if (directory.entries > kMaxEntries) return Broken(absl::StrCat("it has ", directory.entries, " files"));
  return directory;
}

// The 64-bit sizes stand in an extra field for those of 32 bits that are all ones.
void TakeSizes64(absl::string_view extra, ZipEntry* entry) {
  constexpr uint32_t kElsewhere = std::numeric_limits<uint32_t>::max();
  while (extra.size() >= 4) {
    const uint16_t id = LittleEndian<uint16_t>(extra, 0), size = LittleEndian<uint16_t>(extra, 2);
    extra.remove_prefix(4);
    absl::string_view field = extra.substr(0, size);
    extra.remove_prefix(std::min<size_t>(size, extra.size()));
    if (id != 1) continue;
    for (uint64_t* number : {&entry->bytes, &entry->packed_bytes, &entry->header_offset}) {
      if (*number != kElsewhere || field.size() < 8) continue;
      *number = LittleEndian<uint64_t>(field, 0);
      field.remove_prefix(8);
    }
  }
}

absl::Status Inflate(absl::string_view packed, std::string* bytes) {
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return absl::ResourceExhaustedError("no memory to unpack");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(&(*bytes)[0]);
  stream.avail_out = static_cast<uInt>(bytes->size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  return whole ? absl::OkStatus() : Broken("a file does not unpack to its size");
}

}  // namespace

bool ZipArchive::Looks(absl::string_view bytes) { return StartsAt(bytes, 0, kLocalHeader); }

absl::StatusOr<ZipArchive> ZipArchive::Open(std::string bytes) {
  ZipArchive archive(std::move(bytes));
  const absl::string_view all = archive.bytes_;
  const absl::StatusOr<Directory> directory = FindDirectory(all);
  if (!directory.ok()) return directory.status();
  absl::string_view rest = all.substr(directory->offset, directory->bytes);
  uint64_t packed = 0;
  for (uint64_t i = 0; i < directory->entries; ++i) {
    if (rest.size() < kDirectoryEntryBytes || !StartsAt(rest, 0, kDirectoryEntry)) {
      return Broken("its directory is shorter than it says");
    }
    const uint64_t name = LittleEndian<uint16_t>(rest, 28), extra = LittleEndian<uint16_t>(rest, 30),
                   comment = LittleEndian<uint16_t>(rest, 32);
    if (!Holds(rest, kDirectoryEntryBytes, name + extra + comment))
      return Broken("a name reaches beyond its directory");
    ZipEntry& entry = archive.entries_.emplace_back();
    if ((LittleEndian<uint16_t>(rest, 8) & 1) != 0) return Broken("a file is encrypted");
    entry.method = LittleEndian<uint16_t>(rest, 10);
    entry.crc = LittleEndian<uint32_t>(rest, 16);
    entry.packed_bytes = LittleEndian<uint32_t>(rest, 20);
    entry.bytes = LittleEndian<uint32_t>(rest, 24);
    entry.header_offset = LittleEndian<uint32_t>(rest, 42);
    entry.name = std::string(rest.substr(kDirectoryEntryBytes, name));
    TakeSizes64(rest.substr(kDirectoryEntryBytes + name, extra), &entry);
    rest.remove_prefix(kDirectoryEntryBytes + name + extra + comment);
    // Files that share their bytes would unpack to any multiple of them.
    if (entry.packed_bytes > all.size() - packed) return Broken("its files are larger than it is itself");
    packed += entry.packed_bytes;
  }
  return archive;
}

const ZipEntry* ZipArchive::Find(absl::string_view name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const ZipEntry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const ZipEntry* ZipArchive::FindLast(absl::string_view name) const {
  const ZipEntry* found = nullptr;
  const std::string ending = absl::StrCat("/", name);
  for (const ZipEntry& entry : entries_) {
    if (entry.name != name && !absl::EndsWith(entry.name, ending)) continue;
    if (found != nullptr) return nullptr;
    found = &entry;
  }
  return found;
}

absl::StatusOr<std::string> ZipArchive::Read(const ZipEntry& entry) const {
  const absl::string_view all = bytes_;
  const uint64_t header = entry.header_offset;
  if (!Holds(all, header, kLocalHeaderBytes) || !StartsAt(all, header, kLocalHeader)) {
    return Broken(absl::StrCat("file ", Quoted(entry.name), " is not where the directory says"));
  }
  const uint64_t begin =
      header + kLocalHeaderBytes + LittleEndian<uint16_t>(all, header + 26) + LittleEndian<uint16_t>(all, header + 28);
  const bool stored = entry.method == 0;
  if (!stored && entry.method != 8) {
    return Broken(absl::StrCat("file ", Quoted(entry.name), " is packed by method ", entry.method,
                               "; 0 (stored) and 8 (deflated) are read"));
  }
  if (!Holds(all, begin, entry.packed_bytes) || (stored && entry.packed_bytes != entry.bytes) ||
      entry.bytes > std::numeric_limits<uint32_t>::max() || entry.packed_bytes > std::numeric_limits<uint32_t>::max() ||
      entry.bytes / kMaxRatio > entry.packed_bytes) {
    return Broken(
        absl::StrCat("file ", Quoted(entry.name), " announces ", entry.bytes, " bytes out of ", entry.packed_bytes));
  }
  const absl::string_view packed = all.substr(begin, entry.packed_bytes);
  std::string bytes;
  if (stored) {
    bytes = std::string(packed);
  } else {
    bytes.resize(entry.bytes);
    if (absl::Status status = Inflate(packed, &bytes); !status.ok()) return status;
  }
  const uLong sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (sum != entry.crc) return Broken(absl::StrCat("the sum of file ", Quoted(entry.name), " differs"));
  return bytes;
}

}  // namespace rondo::convert
