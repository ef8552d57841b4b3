#include "server/store/session_store.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "server/store/redis_address.h"
#include "server/store/redis_store.h"
#include "server/store/rocksdb_store.h"

namespace rondo {
namespace {

using OpenedStore = absl::StatusOr<std::unique_ptr<SessionStore>>;

OpenedStore OpenRedis(const std::string& name) {
  const char* const password = getenv("RONDO_REDIS_PASSWORD");
  const absl::StatusOr<RedisAddress> address = ParseRedisAddress(name, password == nullptr ? "" : password);
  if (!address.ok()) return address.status();
  return RedisStore::Open(*address, {});
}

// A kind of store. To add one, add its files (to CMakeLists.txt too) and its row here.
struct StoreKind {
  absl::string_view scheme;                                               // begins the name of each store of this kind
  absl::string_view form;                                                 // what a whole name looks like
  OpenedStore (*open)(absl::string_view address, StoreDamage on_damage);  // of what follows the scheme, never empty
};

constexpr StoreKind kStoreKinds[] = {
    {"rocksdb:", "rocksdb:DIR",
     [](absl::string_view directory, StoreDamage on_damage) -> OpenedStore {
       return RocksdbStore::Open(std::string(directory), on_damage);
     }},
    {"redis:", "redis://[[USER]:PASSWORD@]HOST[:PORT][/DB][?replicas=N]",
     [](absl::string_view rest, StoreDamage) { return OpenRedis(absl::StrCat("redis:", rest)); }},
    {"rediss:", "rediss://...[?ca=FILE&password_file=FILE]",
     [](absl::string_view rest, StoreDamage) { return OpenRedis(absl::StrCat("rediss:", rest)); }},
    {"redis+sentinel:", "redis+sentinel://[...@]HOST[:PORT],.../NAME[/DB]",
     [](absl::string_view rest, StoreDamage) { return OpenRedis(absl::StrCat("redis+sentinel:", rest)); }},
    {"rediss+sentinel:", "rediss+sentinel://...",
     [](absl::string_view rest, StoreDamage) { return OpenRedis(absl::StrCat("rediss+sentinel:", rest)); }},
};

}  // namespace

absl::StatusOr<std::unique_ptr<SessionStore>> OpenSessionStore(absl::string_view name, StoreDamage on_damage) {
  std::vector<absl::string_view> forms;
  for (const StoreKind& kind : kStoreKinds) {
    absl::string_view address = name;
    if (absl::ConsumePrefix(&address, kind.scheme) && !address.empty()) return kind.open(address, on_damage);
    forms.push_back(kind.form);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", name, "\" names no session store; wanted ", absl::StrJoin(forms, " or ")));
}

}  // namespace rondo
