#include "server/store/rocksdb_store.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "base/log.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "rocksdb/write_batch.h"
#include "server/store/rocksdb_open.h"
#include "server/store/store_directory.h"

namespace rondo {
namespace {

constexpr size_t kExpiryBytes = sizeof(int64_t);
constexpr size_t kMaxLoadsTogether = 256;    // values of one MultiGet are pinned in the cache until copied
constexpr size_t kMaxWriteBytes = 16 << 20;  // of one write; a bigger batch is several
constexpr absl::string_view kLifeId = " life";
constexpr absl::string_view kRunning = "running";
constexpr absl::string_view kNoSpace = "the session store has no space left";
constexpr absl::string_view kFailed = "the session store failed; its server's log says why";

rocksdb::Slice Slice(absl::string_view text) { return {text.data(), text.size()}; }

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

absl::StatusOr<std::unique_ptr<RocksdbStore>> RocksdbStore::Open(const std::string& directory, StoreDamage on_damage) {
  if (absl::Status ready = PrepareStoreDirectory(directory); !ready.ok()) return ready;
  if (const uint64_t free = FreeBytes(directory); free < kMinFreeBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("the session store ", directory, " has ", free / kMebibyte,
                                                     " MiB of free space; wanted ", kMinFreeBytes / kMebibyte));
  }
  absl::StatusOr<OpenedRocksdb> opened = absl::UnavailableError(kFailed);
  const absl::Status guarded = Guarded([&] { opened = OpenRocksdb(directory, on_damage); });
  if (!guarded.ok()) return guarded;
  if (!opened.ok()) return opened.status();
  std::unique_ptr<RocksdbStore> store(new RocksdbStore(*std::move(opened)));
  if (absl::Status begun = store->BeginLife(); !begun.ok()) return begun;
  return store;
}

absl::Status RocksdbStore::BeginLife() {
  LoadOp life;
  life.id = kLifeId;
  Load(absl::MakeSpan(&life, 1));
  if (!life.status.ok()) return life.status;
  const std::pair<absl::string_view, absl::string_view> words = absl::StrSplit(life.value, ' ');
  int64_t doubtful_before_ns = 0;
  if (absl::SimpleAtoi(words.second, &doubtful_before_ns)) doubtful_before_ = absl::FromUnixNanos(doubtful_before_ns);
  if (words.first == kRunning || damaged_bytes_ > 0) doubtful_before_ = absl::Now();
  return WriteLife(kRunning);
}

absl::Status RocksdbStore::WriteLife(absl::string_view state) {
  const std::string life = absl::StrCat(state, " ", absl::ToUnixNanos(doubtful_before_));
  SaveOp save;
  save.id = kLifeId;
  save.value = life;
  Save(absl::MakeSpan(&save, 1));
  return save.status;
}

void RocksdbStore::EndWhole() { WriteLife("ended").IgnoreError(); }  // SaveError has logged why not

RocksdbStore::RocksdbStore(OpenedRocksdb opened) : db_(std::move(opened.db)), damaged_bytes_(opened.damaged_bytes) {}

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
  for (size_t i = 0; i < loads.size(); ++i) {
    Answer(statuses[i], values[i], &loads[i]);
    loads[i].doubtful_before = doubtful_before_;
  }
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

void RocksdbStore::Scan(ScanOp* scan) {
  scan->entries.clear();
  absl::Status scanned;
  const absl::Status guarded = Guarded([&] { scanned = ScanSome(scan); });
  scan->status = guarded.ok() ? scanned : guarded;
}

absl::Status RocksdbStore::ScanSome(ScanOp* scan) {
  rocksdb::ReadOptions read;
  read.fill_cache = false;  // as DropSome
  const std::unique_ptr<rocksdb::Iterator> entry(db_->NewIterator(read));
  const absl::Time now = absl::Now();
  const auto in_range = [&] { return entry->Valid() && entry->key().starts_with(scan->prefix); };
  size_t keys = 0;
  size_t bytes = 0;
  for (entry->Seek(std::max(scan->from, scan->prefix)); in_range();) {
    std::string id = entry->key().ToString();
    const size_t space = id.find(' ', scan->prefix.size());
    if (space != std::string::npos) {  // of another prefix with a space: all of those are passed over
      id[space] = '!';                 // what comes next after a space
      entry->Seek(id.substr(0, space + 1));
      continue;
    }
    // Only here, however many were passed over: where the next look begins is shown to the client, who may know of no
    // others.
    if (keys == kMaxScannedKeys || bytes >= kMaxScannedBytes) break;
    ++keys;
    const rocksdb::Slice stored = entry->value();
    bytes += stored.size();
    if (stored.size() > kExpiryBytes && !HasExpired(stored, now)) {
      const size_t head_bytes = std::min(stored.size() - kExpiryBytes, ScanOp::kHeadBytes);
      scan->entries.push_back({std::move(id), std::string(stored.data() + kExpiryBytes, head_bytes)});
    }
    entry->Next();
  }
  scan->from = in_range() ? entry->key().ToString() : "";
  if (entry->status().ok()) return absl::OkStatus();
  LogTrouble("session_store_scan_failed", entry->status().ToString());
  return absl::UnavailableError(kFailed);
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
  // The write need not be synced: what is not dropped now will be found again.
  const bool dropped = db_->Write(rocksdb::WriteOptions(), &expired).ok();
  return dropped && static_cast<size_t>(expired.Count()) * kManyShare > keys;
}

}  // namespace rondo
