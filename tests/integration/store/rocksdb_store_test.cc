#include "server/store/rocksdb_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "server/store/store_directory.h"
#include "tests/integration/child_process.h"
#include "tests/integration/store/store_calls.h"
#include "tests/temporary_folder.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RocksdbStoreTest : public testing::Test {
 protected:
  std::unique_ptr<RocksdbStore> Open() { return Open(path_); }
  static std::unique_ptr<RocksdbStore> Open(const std::string& path, StoreDamage on_damage = StoreDamage::kRefuse) {
    auto store = RocksdbStore::Open(path, on_damage);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  static void ExpectRefused(const std::string& path, absl::StatusCode code, const std::string& why) {
    const auto store = RocksdbStore::Open(path, StoreDamage::kRefuse);
    EXPECT_EQ(store.status().code(), code) << store.status();
    EXPECT_THAT(std::string(store.status().message()), AllOf(HasSubstr(path), HasSubstr(why)));
  }
  static std::vector<std::string> FilesIn(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/store";
};

TEST_F(RocksdbStoreTest, TheSecondProcessIsRefusedAndTheFirstGoesOn) {
  ChildProcess writer("store_writer", {"rocksdb:" + path_});
  writer.WaitForLine("saved 10");
  ExpectRefused(path_, absl::StatusCode::kFailedPrecondition, "is in use by another server");
  writer.WaitForLine("saved 20");
}

TEST_F(RocksdbStoreTest, TheSecondStoreOfOneProcessIsRefused) {
  const auto store = Open();
  ExpectRefused(path_, absl::StatusCode::kFailedPrecondition, "is in use by another server");
  EXPECT_EQ(SaveOne(*store, "a", "1"), absl::OkStatus());
}

TEST_F(RocksdbStoreTest, EveryAcknowledgedSaveOutlivesAKill) {
  for (int round = 0; round < 3; ++round) {
    const std::string path = absl::StrCat(path_, round);
    ChildProcess writer("store_writer", {"rocksdb:" + path});
    writer.WaitForLine(absl::StrCat("saved ", 110 + 71 * round));
    writer.Signal(SIGKILL);
    EXPECT_EQ(writer.WaitForExit(), -SIGKILL);

    std::vector<int> acknowledged(100, -1);
    for (absl::string_view line : absl::StrSplit(writer.printed(), '\n')) {
      int n = 0;
      if (absl::ConsumePrefix(&line, "saved ") && absl::SimpleAtoi(line, &n)) acknowledged[n % 100] = n;
    }
    const auto store = Open(path);
    for (int i = 0; i < 100; ++i) {
      int found = -1;
      EXPECT_TRUE(absl::SimpleAtoi(LoadOne(*store, absl::StrCat("session", i)).value, &found));
      // The last save may have been made and not been told.
      EXPECT_TRUE(found == acknowledged[i] || found == acknowledged[i] + 100) << found << " " << acknowledged[i];
    }
  }
}

TEST_F(RocksdbStoreTest, TheLogStaysShortHoweverOftenOneSessionIsSaved) {
  const auto store = Open();
  const std::string value(1 << 20, 'x');
  size_t log_bytes = 0;
  for (size_t saved = 0; saved < 4 * RocksdbStore::kMaxLogBytes; saved += value.size()) {
    ASSERT_EQ(SaveOne(*store, "s", value), absl::OkStatus());
  }
  for (const auto& entry : fs::directory_iterator(path_)) {
    std::error_code gone;  // meanwhile, for it was flushed
    const auto bytes = entry.file_size(gone);
    if (entry.path().extension() == ".log" && !gone) log_bytes += bytes;
  }
  EXPECT_LT(log_bytes, 3 * RocksdbStore::kMaxLogBytes);  // one is written, one may still be flushed
}

TEST_F(RocksdbStoreTest, AnotherProgramsDirectoryIsRefusedAndLeftAsItIs) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, path_, &db).ok());
  delete db;
  const std::vector<std::string> before = FilesIn(path_);
  ExpectRefused(path_, absl::StatusCode::kFailedPrecondition, "neither empty nor a session store of Rondo");
  EXPECT_EQ(FilesIn(path_), before);

  const std::string folder = folder_.path() + "/home";
  fs::create_directory(folder);
  std::ofstream(folder + "/letter.txt") << "dear";
  ExpectRefused(folder, absl::StatusCode::kFailedPrecondition, "neither empty nor a session store of Rondo");
  EXPECT_THAT(FilesIn(folder), ElementsAre("letter.txt"));
}

TEST_F(RocksdbStoreTest, ANewersFormatIsRefused) {
  fs::create_directory(path_);
  std::ofstream(path_ + "/RONDO_SESSIONS") << "rondo sessions, format 2\n";
  ExpectRefused(path_, absl::StatusCode::kFailedPrecondition, "\"rondo sessions, format 1\"");
  EXPECT_THAT(FilesIn(path_), ElementsAre("RONDO_SESSIONS"));
}

TEST_F(RocksdbStoreTest, AnEmptyVolumeAndAnUnfinishedStartAreTaken) {
  fs::create_directories(path_ + "/lost+found");
  std::ofstream(path_ + "/RONDO_SESSIONS.7-0.tmp") << "rondo se";
  EXPECT_NE(Open(), nullptr);
  EXPECT_NE(Open(), nullptr);
}

TEST_F(RocksdbStoreTest, OnlyItsOwnerMayReadIt) {
  Open(path_ + "/");
  struct stat attributes {};
  ASSERT_EQ(stat(path_.c_str(), &attributes), 0);
  EXPECT_EQ(attributes.st_mode & 07777, 0700u);
}

TEST_F(RocksdbStoreTest, AFileInsteadOfADirectoryIsRefused) {
  std::ofstream(path_) << "text";
  ExpectRefused(path_, absl::StatusCode::kFailedPrecondition, "is a file");
  ExpectRefused(path_ + "/below", absl::StatusCode::kFailedPrecondition, "Not a directory");
}

// Root may do everything, so this test gives up being root where it is.
class AsNobody {
 public:
  AsNobody() { EXPECT_EQ(geteuid() == 0 ? seteuid(65534) : 0, 0); }
  ~AsNobody() { EXPECT_EQ(seteuid(getuid()), 0); }
};

TEST_F(RocksdbStoreTest, WithoutPermissionItSaysSo) {
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  Open();
  fs::permissions(path_,
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  fs::create_directory(folder_.path() + "/closed");
  ASSERT_EQ(chmod((folder_.path() + "/closed").c_str(), 0), 0);
  const AsNobody nobody;
  ExpectRefused(folder_.path() + "/closed/store", absl::StatusCode::kPermissionDenied, "Permission denied");
  ExpectRefused(folder_.path() + "/closed", absl::StatusCode::kPermissionDenied, "Permission denied");
  ExpectRefused(path_, absl::StatusCode::kPermissionDenied, "Permission denied");
}

// Changes the byte at `offset` of the first file whose name ends so.
void Damage(const std::string& directory, const std::string& ending, std::streamoff offset) {
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string path = entry.path().string();
    if (!absl::EndsWith(path, ending)) continue;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(offset);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(offset);
    file.put(byte);
    ASSERT_TRUE(file.good()) << path;
    return;
  }
  FAIL() << "no " << ending << " in " << directory;
}

// Sessions "s0", "s1", ... in one call.
void SaveNumbered(SessionStore* store, int count, const std::string& value) {
  std::vector<std::string> ids(count);
  std::vector<SessionStore::SaveOp> saves(count);
  for (int i = 0; i < count; ++i) {
    ids[i] = absl::StrCat("s", i);
    saves[i].id = ids[i];
    saves[i].value = value;
  }
  store->Save(absl::MakeSpan(saves));
  for (const SessionStore::SaveOp& save : saves) EXPECT_EQ(save.status, absl::OkStatus());
}

TEST_F(RocksdbStoreTest, DamageInATableIsDataLossForTheSessionsThereOnly) {
  constexpr int kSessions = 1000;
  const std::string value(1000, 'v');
  auto store = Open();
  SaveNumbered(store.get(), kSessions, value);
  store.reset();
  Open();  // writes the log's sessions into a table
  Damage(path_, ".sst", 50'000);
  store = Open();
  int lost = 0;
  for (int i = 0; i < kSessions; ++i) {
    const SessionStore::LoadOp load = LoadOne(*store, absl::StrCat("s", i));
    if (load.status.ok()) {
      EXPECT_EQ(load.value, value);
      continue;
    }
    EXPECT_EQ(load.status, absl::DataLossError("what the session store has of this session is damaged"));
    ++lost;
    EXPECT_EQ(SaveOne(*store, absl::StrCat("s", i), "new"), absl::OkStatus());
    EXPECT_EQ(LoadOne(*store, absl::StrCat("s", i)).value, "new");
  }
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, 40);
  store->DropExpired(absl::Now());
  EXPECT_EQ(SaveOne(*store, "other", "1"), absl::OkStatus());
}

TEST_F(RocksdbStoreTest, ADamagedLogIsRefusedOrLeftOutAndCounted) {
  constexpr int kSessions = 1000;
  const std::string value(1000, 'v');
  auto store = Open();
  for (int i = 0; i < kSessions; ++i) ASSERT_EQ(SaveOne(*store, absl::StrCat("s", i), value), absl::OkStatus());
  store.reset();
  Damage(path_, ".log", 500'000);
  ExpectRefused(path_, absl::StatusCode::kDataLoss, "--store_damage=serve");
  testing::internal::CaptureStderr();
  store = Open(path_, StoreDamage::kServe);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), AllOf(HasSubstr("event=session_store_damaged"),
                                                            HasSubstr(absl::StrCat("bytes=", store->damaged_bytes()))));
  EXPECT_GT(store->damaged_bytes(), 0u);
  int lost = 0;
  for (int i = 0; i < kSessions; ++i) lost += LoadOne(*store, absl::StrCat("s", i)).value == value ? 0 : 1;
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, 40) << "what comes behind the damage is whole";
  EXPECT_EQ(SaveOne(*store, "s0", "new"), absl::OkStatus());
  store.reset();
  EXPECT_EQ(LoadOne(*Open(), "s0").value, "new");
}

TEST_F(RocksdbStoreTest, ALogWhoseLastWriteIsNotWholeIsThatOfAKill) {
  auto store = Open();
  for (const char* id : {"a", "b"}) ASSERT_EQ(SaveOne(*store, id, "whole"), absl::OkStatus());
  store.reset();
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().extension() == ".log") fs::resize_file(entry.path(), fs::file_size(entry.path()) - 3);
  }
  store = Open();
  EXPECT_EQ(LoadOne(*store, "a").value, "whole");
  EXPECT_EQ(LoadOne(*store, "b").value, "");
  EXPECT_EQ(store->damaged_bytes(), 0u);
}

TEST_F(RocksdbStoreTest, WhoeverDropsExpiredValuesHearsWhetherThereWereMany) {
  const auto store = Open();
  const absl::Time now = absl::Now();
  EXPECT_FALSE(store->DropExpired(now));
  for (int i = 0; i < 10; ++i) ASSERT_EQ(SaveOne(*store, absl::StrCat("live", i), "1"), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store, "past", "1", 1, now - absl::Seconds(1)), absl::OkStatus());
  EXPECT_FALSE(store->DropExpired(now)) << "one of eleven";
  ASSERT_EQ(SaveOne(*store, "past", "1", 1, now - absl::Seconds(1)), absl::OkStatus());
  ASSERT_EQ(SaveOne(*store, "long past", "1", 1, now - absl::Hours(1)), absl::OkStatus());
  EXPECT_TRUE(store->DropExpired(now)) << "two of twelve";
  EXPECT_FALSE(store->DropExpired(now)) << "they are gone";
}

TEST_F(RocksdbStoreTest, AStoreThatIsNotWholeIsRefused) {
  ASSERT_EQ(SaveOne(*Open(), "s", "1"), absl::OkStatus());
  Open();
  fs::rename(path_ + "/CURRENT", path_ + "/elsewhere");
  ExpectRefused(path_, absl::StatusCode::kDataLoss, "CURRENT");
  fs::rename(path_ + "/elsewhere", path_ + "/CURRENT");
  EXPECT_EQ(LoadOne(*Open(), "s").value, "1");
  std::ofstream(path_ + "/CURRENT") << "MANIFEST";
  ExpectRefused(path_, absl::StatusCode::kDataLoss, "CURRENT");
}

TEST_F(RocksdbStoreTest, AMissingTableIsRefused) {
  ASSERT_EQ(SaveOne(*Open(), "s", "1"), absl::OkStatus());
  Open();
  for (const std::string& name : FilesIn(path_)) {
    if (absl::EndsWith(name, ".sst")) fs::remove(path_ + "/" + name);
  }
  ExpectRefused(path_, absl::StatusCode::kDataLoss, "No such file");
}

// A file system of its own, so small that it can be filled; only root can have one.
class SmallFileSystem {
 public:
  SmallFileSystem(std::string path, uint64_t bytes) : path_(std::move(path)), ballast_(path_ + "/ballast") {
    fs::create_directory(path_);
    mounted_ = mount("rondo", path_.c_str(), "tmpfs", 0, absl::StrCat("size=", bytes).c_str()) == 0;
  }
  ~SmallFileSystem() {
    if (mounted_) umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

  // Takes all space but for `bytes`.
  void FillUpTo(uint64_t bytes) {
    const int file = open(ballast_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    EXPECT_EQ(posix_fallocate(file, 0, static_cast<off_t>(FreeBytes(path_) - bytes)), 0);
    close(file);
  }
  void MakeSpace() { fs::remove(ballast_); }

 private:
  const std::string path_;
  const std::string ballast_;
  bool mounted_ = false;
};

constexpr uint64_t kMinFree = RocksdbStore::kMinFreeBytes;

TEST_F(RocksdbStoreTest, WithoutSpaceItSaysSoKeepsWhatItHasAndGoesOnWhenThereIsSome) {
  SmallFileSystem small(path_, 2 * kMinFree);
  if (!small.mounted()) GTEST_SKIP() << "only root can mount a file system";
  auto store = Open();
  ASSERT_EQ(SaveOne(*store, "kept", "1"), absl::OkStatus());
  small.FillUpTo(kMinFree / 2);
  const absl::Status full = SaveOne(*store, "more", "2");
  EXPECT_EQ(full, absl::ResourceExhaustedError("the session store has no space left"));
  EXPECT_EQ(LoadOne(*store, "kept").value, "1");
  EXPECT_EQ(LoadOne(*store, "more").value, "");
  small.MakeSpace();
  EXPECT_EQ(SaveOne(*store, "more", "3"), absl::OkStatus());
  store.reset();

  small.FillUpTo(4096);
  ExpectRefused(path_, absl::StatusCode::kResourceExhausted, "has 0 MiB of free space; wanted 256");
  small.MakeSpace();
  store = Open();
  EXPECT_EQ(LoadOne(*store, "kept").value, "1");
  EXPECT_EQ(LoadOne(*store, "more").value, "3");
}

TEST_F(RocksdbStoreTest, SpaceThatEndsInTheMiddleOfACallHarmsOnlyWhatIsNotAcknowledged) {
  SmallFileSystem small(path_, kMinFree + (64 << 20));
  if (!small.mounted()) GTEST_SKIP() << "only root can mount a file system";
  auto store = Open();
  const std::string value(1 << 20, 'v');
  std::vector<std::string> ids;
  for (int i = 0; i < 400; ++i) ids.push_back(absl::StrCat("id", i));
  std::vector<SessionStore::SaveOp> saves(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    saves[i].id = ids[i];
    saves[i].value = value;
  }
  ASSERT_EQ(SaveOne(*store, "kept", "1"), absl::OkStatus());
  store->Save(absl::MakeSpan(saves));
  EXPECT_EQ(saves.front().status, absl::OkStatus());
  EXPECT_EQ(saves.back().status.code(), absl::StatusCode::kResourceExhausted);
  store.reset();
  ASSERT_EQ(mount("rondo", path_.c_str(), "tmpfs", MS_REMOUNT, absl::StrCat("size=", 4 * kMinFree).c_str()), 0);
  store = Open();
  EXPECT_EQ(LoadOne(*store, "kept").value, "1");
  for (const SessionStore::SaveOp& save : saves) {
    EXPECT_TRUE(!save.status.ok() || LoadOne(*store, save.id).value == value) << save.id;
  }
}

}  // namespace
}  // namespace rondo
