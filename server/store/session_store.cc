#include "server/store/session_store.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/store/rocksdb_store.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<SessionStore>> OpenSessionStore(absl::string_view name) {
  absl::string_view directory = name;
  if (absl::ConsumePrefix(&directory, "rocksdb:") && !directory.empty()) {
    return RocksdbStore::Open(std::string(directory));
  }
  return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" names no session store; wanted rocksdb:DIR"));
}

}  // namespace rondo
