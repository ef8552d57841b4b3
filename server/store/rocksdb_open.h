#ifndef RONDO_SERVER_STORE_ROCKSDB_OPEN_H_
#define RONDO_SERVER_STORE_ROCKSDB_OPEN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "rocksdb/db.h"
#include "server/store/session_store.h"

namespace rondo {

inline constexpr size_t kMebibyte = 1 << 20;

struct OpenedRocksdb {
  std::unique_ptr<rocksdb::DB> db;
  uint64_t damaged_bytes = 0;  // of its log: they were left out
};

// Opens the database of `directory`, or makes it. A log whose last write is not whole is that of a process that was
// killed: nothing that was acknowledged is missing. Any other damage of the log is DATA_LOSS, or is logged, counted and
// left out with StoreDamage::kServe. Other errors as OpenSessionStore; the messages name the directory.
absl::StatusOr<OpenedRocksdb> OpenRocksdb(const std::string& directory, StoreDamage on_damage);

// Tells whether `status` says that the disk or a quota is full.
bool IsNoSpace(const rocksdb::Status& status);

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_ROCKSDB_OPEN_H_
