#ifndef RONDO_SERVER_STORE_REDIS_INBOX_H_
#define RONDO_SERVER_STORE_REDIS_INBOX_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"
#include "server/store/ownership_term.h"
#include "server/store/redis_address.h"
#include "server/store/redis_connection.h"
#include "server/store/session_store.h"

namespace rondo {

// Says in Redis that this server lives, and hears what other servers tell it, over a connection of its own.
//
// `rondo:server:OWNER` is "alive" and expires after OwnershipTerm::kLapse, or is "ended": that server ended with
// everything saved. `rondo:server:OWNER:inbox` is a list of words for that server, the newest first: "w" and an id that
// is wanted, "f" and one that is free. `rondo:server:OWNER:read` has the word that was read last.
class RedisInbox {
 public:
  static std::string KeyOf(absl::string_view owner);

  // Begins to listen. `hear` runs on a thread of this; `term` outlives this.
  RedisInbox(const RedisAddress& address, RedisConnection::Limits limits, absl::string_view owner, OwnershipTerm* term,
             std::function<void(StoreNotice)> hear);
  // Waits a second at most, or until the next word.
  ~RedisInbox();

 private:
  void Run();
  // Waits for the next word. Empty: none came within a second.
  absl::StatusOr<std::string> Next(RedisConnection* connection);

  const RedisAddress address_;
  const RedisConnection::Limits limits_;
  const std::string key_;
  OwnershipTerm* const term_;
  const std::function<void(StoreNotice)> hear_;
  Mutex mutex_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_INBOX_H_
