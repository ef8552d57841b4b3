#include "server/store/session_store.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/store/redis_address.h"
#include "server/store/redis_store.h"
#include "server/store/rocksdb_store.h"

namespace rondo {

absl::StatusOr<std::unique_ptr<SessionStore>> OpenSessionStore(absl::string_view name) {
  absl::string_view directory = name;
  if (absl::ConsumePrefix(&directory, "rocksdb:") && !directory.empty()) {
    return RocksdbStore::Open(std::string(directory));
  }
  if (absl::StartsWith(name, "redis:")) {
    const absl::StatusOr<RedisAddress> address = ParseRedisAddress(name);
    if (!address.ok()) return address.status();
    return RedisStore::Open(*address, {});
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", name, "\" names no session store; wanted rocksdb:DIR or redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]"));
}

}  // namespace rondo
