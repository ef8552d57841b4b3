#include "model/convert/archive/zip_archive.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/model/convert/zip_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

// What is wrong with the archive, or with one of its files.
std::string ArchiveDamageOf(const std::string& bytes) {
  const absl::StatusOr<ZipArchive> archive = ZipArchive::Open(bytes);
  if (!archive.ok()) return std::string(archive.status().message());
  for (const ZipEntry& entry : archive->entries()) {
    const absl::StatusOr<std::string> file = archive->Read(entry);
    if (!file.ok()) return std::string(file.status().message());
  }
  return "none";
}

TEST(ZipArchiveTest, StoredFilesAreFoundByNameAndByEnding) {
  const auto archive = ZipArchive::Open(ZipBytes({{"a/data.pkl", "one"}, {"a/version", "3\n"}}));
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ(archive->Read(*archive->Find("a/version")).value_or(""), "3\n");
  EXPECT_EQ(archive->FindLast("data.pkl")->name, "a/data.pkl");
  EXPECT_EQ(archive->Find("data.pkl"), nullptr);
}

TEST(ZipArchiveTest, ANameThatTwoFilesEndInIsFoundInNeither) {
  const auto archive = ZipArchive::Open(ZipBytes({{"a/data.pkl", "one"}, {"b/data.pkl", "two"}}));
  ASSERT_TRUE(archive.ok()) << archive.status();
  EXPECT_EQ(archive->FindLast("data.pkl"), nullptr);
}

TEST(ZipArchiveTest, EveryArchiveThatIsCutIsDamaged) {
  const std::string bytes = ZipBytes({{"a", "first"}, {"b", "second"}});
  ASSERT_EQ(ArchiveDamageOf(bytes), "none");
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(ArchiveDamageOf(bytes.substr(0, size)), "none") << size;
}

TEST(ZipArchiveTest, NoByteThatIsChangedDoesHarm) {
  const std::string bytes = ZipBytes({{"a", "first"}, {"b", "second"}});
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      ArchiveDamageOf(changed);
    }
  }
}

TEST(ZipArchiveTest, WhatIsWrongWithAFileIsNamed) {
  ZippedFile file = {"w", "weights"};
  file.crc = 1;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("the sum of file 'w' differs"));
  file = {"w", "weights"};
  file.method = 12;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("file 'w' is packed by method 12; 0 (stored) and 8"));
  file = {"w", "weights"};
  file.flags = 1;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("a file is encrypted"));
  file = {"w", "weights"};
  file.header_offset = 4000000000U;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("file 'w' is not where the directory says"));
}

TEST(ZipArchiveTest, AnAnnouncementOfTwoGigabytesTakesNoMemory) {
  ZippedFile file = {"w", "weights"};
  file.method = 8;
  file.bytes = 2000000000U;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("file 'w' announces 2000000000 bytes out of 7"));
  file.packed_bytes = 1999999999U;
  EXPECT_THAT(ArchiveDamageOf(ZipBytes({file})), HasSubstr("its files are larger than it is itself"));
}

TEST(ZipArchiveTest, FilesThatShareTheirBytesAreRefused) {
  std::vector<ZippedFile> files = {{"first", std::string(10000, 'x')}};
  for (int i = 0; i < 3; ++i) {
    ZippedFile copy = {"copy", ""};
    copy.header_offset = 0;
    copy.bytes = copy.packed_bytes = 10000;
    files.push_back(copy);
  }
  EXPECT_THAT(ArchiveDamageOf(ZipBytes(files)), HasSubstr("its files are larger than it is itself"));
}

}  // namespace
}  // namespace rondo::convert
