#ifndef RONDO_SERVER_STORE_ROCKSDB_STORE_H_
#define RONDO_SERVER_STORE_ROCKSDB_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/store/session_store.h"

namespace rocksdb {
class DB;
class Status;
class WriteBatch;
}  // namespace rocksdb

namespace rondo {

struct OpenedRocksdb;

// Sessions in a RocksDB of this process alone: whoever opens the directory owns all ids, so epochs stay 1.
//
// A save is durable when its write-ahead log is synced; each call syncs once. Memory: kCacheBytes, of which the write
// buffers take what they need, and RocksDB's own books. The key is the id. A value is 8 bytes that say when it expires
// (nanoseconds since the Unix epoch, little-endian), and then the bytes that were saved. Under " life", which no
// session is called, is "running" or "ended" and before which time values are doubtful (nanoseconds as text).
class RocksdbStore : public SessionStore {
 public:
  static constexpr size_t kCacheBytes = 192 << 20;
  static constexpr size_t kWriteBufferBytes = 64 << 20;
  static constexpr size_t kMaxLogBytes = 64 << 20;  // about: a start has to read the log again
  // With less free space nothing is written: each session gets an answer, instead of a failure in the middle of
  // RocksDB's files (Debian builds RocksDB with assertions, and a start without space runs into one).
  static constexpr uint64_t kMinFreeBytes = 256 << 20;
  // Bounds of one DropExpired, and of one Scan.
  static constexpr size_t kMaxScannedKeys = 2000;
  static constexpr size_t kMaxScannedBytes = 4 << 20;

  // Fails as OpenSessionStore. The messages name the directory.
  static absl::StatusOr<std::unique_ptr<RocksdbStore>> Open(const std::string& directory, StoreDamage on_damage);
  ~RocksdbStore() override;

  void Load(absl::Span<LoadOp> loads) override;
  void Save(absl::Span<SaveOp> saves) override;
  void Scan(ScanOp* scan) override;
  bool DropExpired(absl::Time now) override;
  void EndWhole() override;
  uint64_t damaged_bytes() const override { return damaged_bytes_; }

 private:
  explicit RocksdbStore(OpenedRocksdb opened);

  // Reads how the last process that had the directory ended, and writes that this one is running.
  absl::Status BeginLife();
  absl::Status WriteLife(absl::string_view state);
  // Saves the first of `saves` that make one write together, and sets their answers. Returns how many they are.
  size_t SaveSome(absl::Span<SaveOp> saves);
  rocksdb::Status Write(rocksdb::WriteBatch* batch);
  void BoundLog(size_t written);
  void LoadSome(absl::Span<LoadOp> loads);
  bool DropSome(absl::Time now);
  absl::Status ScanSome(ScanOp* scan);

  const std::unique_ptr<rocksdb::DB> db_;
  const uint64_t damaged_bytes_;
  absl::Time doubtful_before_ = absl::InfinitePast();  // see SessionStore::Loaded
  size_t log_bytes_ = 0;                               // written since the last flush that was asked for
  absl::Status last_write_;                            // not OK: RocksDB may have to be told to go on
  std::string next_scanned_key_;                       // where DropExpired goes on; empty: from the start
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_ROCKSDB_STORE_H_
