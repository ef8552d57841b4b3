#include "server/store/rocksdb_open.h"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "rocksdb/cache.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/write_buffer_manager.h"
#include "server/store/rocksdb_store.h"

namespace rondo {
namespace {

rocksdb::BlockBasedTableOptions TableOptions(std::shared_ptr<rocksdb::Cache> cache) {
  rocksdb::BlockBasedTableOptions options;
  options.block_cache = std::move(cache);
  // Ids that are not there cost no read, but for 1% of them: with 10 bits a key.
  options.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  // Indices and filters of ten million sessions (about 40 MiB with this block size) count as cache, so memory is
  // bounded.
  options.block_size = 16 << 10;
  options.cache_index_and_filter_blocks = true;
  options.cache_index_and_filter_blocks_with_high_priority = true;
  options.pin_l0_filter_and_index_blocks_in_cache = true;
  return options;
}

// Tells whether there are tables or logs. Then there is a database, which must not be replaced by an empty one if its
// CURRENT is missing.
bool HasSessions(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".sst" || extension == ".log") return true;
  }
  return false;
}

rocksdb::Options Options(const std::string& directory) {
  rocksdb::Options options;
  options.create_if_missing = !HasSessions(directory);
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(RocksdbStore::kCacheBytes);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(TableOptions(cache)));
  options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(RocksdbStore::kWriteBufferBytes, cache);
  options.write_buffer_size = RocksdbStore::kWriteBufferBytes / 2;
  // A busy session is saved many times between two flushes, and its record keeps its size: it is written over where it
  // lies, so that the buffer holds each once and stays small enough for the CPU's caches. RocksDB gives up consistent
  // views of several keys for it, which only matters when others read meanwhile: here one thread does everything.
  options.inplace_update_support = true;
  options.allow_concurrent_memtable_write = false;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kNoCompression;  // the bits of floats hardly compress
  options.bytes_per_sync = kMebibyte;             // a flush does not make a log's sync wait for all of it
  // A start must not read what it does not need, and files must leave descriptors for connections.
  options.skip_stats_update_on_db_open = true;
  options.max_open_files = 256;
  options.max_log_file_size = kMebibyte;
  options.keep_log_file_num = 2;
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

// Says why the directory could not be opened.
absl::Status OpenError(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = status.ToString();
  const auto says = [&text](int error) { return absl::StrContains(text, strerror(error)); };
  if (absl::StrContains(text, "While lock file") || absl::StrContains(text, "lock hold by")) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the session store ", directory, " is in use by another server; a directory is for one at a time"));
  }
  const std::string message = absl::StrCat("cannot open the session store ", directory, ": ", text);
  if (status.IsCorruption()) {
    return absl::DataLossError(
        absl::StrCat(message, "; if it is its log, --store_damage=serve leaves out what is damaged"));
  }
  if (absl::StrContains(text, "create_if_missing")) return absl::DataLossError(message);
  if (IsNoSpace(status)) return absl::ResourceExhaustedError(message);
  if (says(EACCES) || says(EPERM) || says(EROFS)) return absl::PermissionDeniedError(message);
  if (status.IsInvalidArgument() || status.IsNotSupported()) return absl::FailedPreconditionError(message);
  return absl::UnavailableError(message);
}

// Counts what RocksDB leaves out of a log: it says so in its own log only.
class DamageCounter : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    constexpr absl::string_view kDropping = ": dropping ";
    char line[1024];
    vsnprintf(line, sizeof line, format, arguments);
    const char* const dropping = strstr(line, kDropping.data());
    uint64_t bytes = 0;
    if (dropping == nullptr) return;
    const absl::string_view count = dropping + kDropping.size();
    if (absl::SimpleAtoi(count.substr(0, count.find(' ')), &bytes)) bytes_ += bytes;
  }
  uint64_t bytes() const { return bytes_; }

 private:
  std::atomic<uint64_t> bytes_{0};
};

rocksdb::Status Open(const rocksdb::Options& options, const std::string& directory, std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, directory, &opened);
  db->reset(opened);
  return status;
}

// Has RocksDB write what is whole in the log into a table, and begin a new log. Returns the bytes that were not whole,
// or 0 if it could not.
uint64_t Salvage(const std::string& directory) {
  const auto counter = std::make_shared<DamageCounter>();
  rocksdb::Options options = Options(directory);
  options.info_log = counter;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  std::unique_ptr<rocksdb::DB> db;
  if (!Open(options, directory, &db).ok()) return 0;
  LogEvent(LogLevel::kError, "session_store_damaged",
           {{"store", directory},
            {"bytes", absl::StrCat(counter->bytes())},
            {"message", "the sessions that were saved there are as they were before, or are gone"}});
  return counter->bytes();
}

}  // namespace

bool IsNoSpace(const rocksdb::Status& status) {
  return status.IsNoSpace() || absl::StrContains(status.ToString(), strerror(EDQUOT));
}

absl::StatusOr<OpenedRocksdb> OpenRocksdb(const std::string& directory, StoreDamage on_damage) {
  OpenedRocksdb opened;
  rocksdb::Options options = Options(directory);
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  rocksdb::Status status = Open(options, directory, &opened.db);
  if (status.IsCorruption() && on_damage == StoreDamage::kServe) {
    opened.damaged_bytes = Salvage(directory);
    status = Open(options, directory, &opened.db);
  }
  if (!status.ok()) return OpenError(status, directory);
  return opened;
}

}  // namespace rondo
