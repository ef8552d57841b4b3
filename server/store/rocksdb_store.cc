#include "server/store/rocksdb_store.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/log.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "rocksdb/write_buffer_manager.h"
#include "server/store/store_directory.h"

namespace rondo {
namespace {

constexpr size_t kExpiryBytes = sizeof(int64_t);
constexpr size_t kMaxLoadsTogether = 256;    // values of one MultiGet are pinned in the cache until copied
constexpr size_t kMaxWriteBytes = 16 << 20;  // of one write; a bigger batch is several
constexpr size_t kMebibyte = 1 << 20;
constexpr absl::string_view kNoSpace = "the session store has no space left";
constexpr absl::string_view kFailed = "the session store failed; its server's log says why";

rocksdb::Slice Slice(absl::string_view text) { return {text.data(), text.size()}; }

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

bool IsNoSpace(const rocksdb::Status& status) {
  return status.IsNoSpace() || absl::StrContains(status.ToString(), strerror(EDQUOT));
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
  if (status.IsCorruption() || absl::StrContains(text, "create_if_missing")) return absl::DataLossError(message);
  if (IsNoSpace(status)) return absl::ResourceExhaustedError(message);
  if (says(EACCES) || says(EPERM) || says(EROFS)) return absl::PermissionDeniedError(message);
  if (status.IsInvalidArgument() || status.IsNotSupported()) return absl::FailedPreconditionError(message);
  return absl::UnavailableError(message);
}

// RocksDB's own text has paths, so it goes to the log and not to clients.
absl::Status LoadError(const rocksdb::Status& status) {
  LogTrouble("session_store_load_failed", status.ToString());
  if (status.IsCorruption()) return absl::DataLossError("what the session store has of this session is damaged");
  return absl::UnavailableError(kFailed);
}

absl::Status SaveError(const rocksdb::Status& status) {
  LogTrouble("session_store_save_failed", status.ToString());
  return IsNoSpace(status) ? absl::ResourceExhaustedError(kNoSpace) : absl::UnavailableError(kFailed);
}

// Writes nanoseconds since the Unix epoch, little-endian.
void EncodeExpiry(absl::Time expires_at, char* bytes) {
  const auto nanos = static_cast<uint64_t>(absl::ToUnixNanos(expires_at));
  for (size_t i = 0; i < kExpiryBytes; ++i) bytes[i] = static_cast<char>(nanos >> (8 * i));
}

bool HasExpired(const rocksdb::Slice& stored, absl::Time now) {
  if (stored.size() < kExpiryBytes) return false;
  uint64_t nanos = 0;
  for (size_t i = 0; i < kExpiryBytes; ++i) nanos |= uint64_t{static_cast<unsigned char>(stored[i])} << (8 * i);
  return static_cast<int64_t>(nanos) <= absl::ToUnixNanos(now);
}

void Answer(const rocksdb::Status& status, const rocksdb::Slice& stored, SessionStore::LoadOp* load) {
  load->status = absl::OkStatus();
  load->value.clear();
  load->epoch = 1;
  if (status.IsNotFound()) return;
  if (!status.ok()) {
    load->status = LoadError(status);
  } else if (stored.size() <= kExpiryBytes) {
    load->status = LoadError(rocksdb::Status::Corruption("a value is too short"));
  } else {
    load->value.assign(stored.data() + kExpiryBytes, stored.size() - kExpiryBytes);
  }
}

// RocksDB reports by status; what still throws is the standard library under it.
template <typename Body>
absl::Status Guarded(const Body& body) {
  try {
    body();
    return absl::OkStatus();
  } catch (const std::exception& error) {
    LogTrouble("session_store_failed", error.what());
    return absl::UnavailableError(kFailed);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<RocksdbStore>> RocksdbStore::Open(const std::string& directory) {
  if (absl::Status ready = PrepareStoreDirectory(directory); !ready.ok()) return ready;
  if (const uint64_t free = FreeBytes(directory); free < kMinFreeBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the session store ", directory, " has ", free / kMebibyte,
                                                     " MiB of free space; wanted ", kMinFreeBytes / kMebibyte));
  }
  rocksdb::DB* db = nullptr;
  rocksdb::Status status;
  const absl::Status guarded = Guarded([&] { status = rocksdb::DB::Open(Options(directory), directory, &db); });
  if (!guarded.ok()) return guarded;
  if (!status.ok()) return OpenError(status, directory);
  return std::unique_ptr<RocksdbStore>(new RocksdbStore(std::unique_ptr<rocksdb::DB>(db)));
}

RocksdbStore::RocksdbStore(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

RocksdbStore::~RocksdbStore() {
  // What is saved is in the log already.
  (void)Guarded([this] { (void)db_->Close(); });
}

void RocksdbStore::Load(absl::Span<LoadOp> loads) {
  while (!loads.empty()) {
    const absl::Span<LoadOp> some = loads.subspan(0, kMaxLoadsTogether);
    const absl::Status guarded = Guarded([&] { LoadSome(some); });
    if (!guarded.ok()) {
      for (LoadOp& load : some) load.status = guarded;
    }
    loads.remove_prefix(some.size());
  }
}

void RocksdbStore::LoadSome(absl::Span<LoadOp> loads) {
  std::vector<rocksdb::Slice> keys;
  keys.reserve(loads.size());
  for (const LoadOp& load : loads) keys.push_back(Slice(load.id));
  std::vector<rocksdb::PinnableSlice> values(loads.size());
  std::vector<rocksdb::Status> statuses(loads.size());
  db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), keys.size(), keys.data(), values.data(),
                statuses.data());
  for (size_t i = 0; i < loads.size(); ++i) Answer(statuses[i], values[i], &loads[i]);
}

void RocksdbStore::Save(absl::Span<SaveOp> saves) {
  while (!saves.empty()) {
    size_t saved = 0;
    const absl::Status guarded = Guarded([&] { saved = SaveSome(saves); });
    if (!guarded.ok()) {
      for (SaveOp& save : saves) save.status = guarded;
      return;
    }
    saves.remove_prefix(saved);
  }
}

size_t RocksdbStore::SaveSome(absl::Span<SaveOp> saves) {
  rocksdb::WriteBatch batch;
  size_t count = 0;
  rocksdb::Status status;
  for (; count < saves.size() && batch.GetDataSize() < kMaxWriteBytes && status.ok(); ++count) {
    char expiry[kExpiryBytes];
    EncodeExpiry(saves[count].expires_at, expiry);
    const rocksdb::Slice key = Slice(saves[count].id);
    const rocksdb::Slice value[] = {{expiry, kExpiryBytes}, Slice(saves[count].value)};
    status = batch.Put({&key, 1}, {value, 2});
  }
  if (status.ok()) status = Write(&batch);
  // Busy means that RocksDB is still recovering, by itself, from the failure that last_write_ tells.
  const bool recovering = status.IsBusy() && !last_write_.ok();
  if (!recovering) last_write_ = status.ok() ? absl::OkStatus() : SaveError(status);
  for (SaveOp& save : saves.subspan(0, count)) save.status = last_write_;
  return count;
}

rocksdb::Status RocksdbStore::Write(rocksdb::WriteBatch* batch) {
  if (FreeBytes(db_->GetName()) < kMinFreeBytes) return rocksdb::Status::NoSpace("less than what is kept free");
  // After a failure RocksDB writes nothing until it is told to.
  const rocksdb::Status ready = last_write_.ok() ? rocksdb::Status::OK() : db_->Resume();
  if (!ready.ok()) return ready;
  rocksdb::WriteOptions options;
  options.sync = true;
  const size_t bytes = batch->GetDataSize();
  rocksdb::Status status = db_->Write(options, batch);
  if (status.ok()) BoundLog(bytes);
  return status;
}

// What is written over in the buffer still makes the log longer. A flush begins a new log.
void RocksdbStore::BoundLog(size_t written) {
  log_bytes_ += written;
  if (log_bytes_ < kMaxLogBytes) return;
  log_bytes_ = 0;
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // else Flush waits for a better moment
  if (const rocksdb::Status status = db_->Flush(options); !status.ok()) {
    LogTrouble("session_store_flush_failed", status.ToString());  // the next save fails too if it matters
  }
}

bool RocksdbStore::DropExpired(absl::Time now) {
  bool found_many = false;
  (void)Guarded([&] { found_many = DropSome(now); });
  return found_many;
}

bool RocksdbStore::DropSome(absl::Time now) {
  constexpr size_t kManyShare = 8;
  rocksdb::ReadOptions read;
  read.fill_cache = false;  // a look at all that is stored must not push out what is in use
  const std::unique_ptr<rocksdb::Iterator> entry(db_->NewIterator(read));
  rocksdb::WriteBatch expired;
  size_t keys = 0;
  size_t bytes = 0;
  entry->Seek(next_scanned_key_);
  for (; entry->Valid() && keys < kMaxScannedKeys && bytes < kMaxScannedBytes; ++keys, entry->Next()) {
    bytes += entry->value().size();
    if (HasExpired(entry->value(), now)) expired.Delete(entry->key());
  }
  next_scanned_key_ = entry->Valid() ? entry->key().ToString() : "";
  if (!entry->status().ok()) LogTrouble("session_store_scan_failed", entry->status().ToString());
  if (expired.Count() == 0) return false;
  // Not synced: what is not dropped now will be found again.
  const bool dropped = db_->Write(rocksdb::WriteOptions(), &expired).ok();
  return dropped && static_cast<size_t>(expired.Count()) * kManyShare > keys;
}

}  // namespace rondo
