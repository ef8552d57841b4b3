#ifndef RONDO_SERVER_STORE_REDIS_STORE_H_
#define RONDO_SERVER_STORE_REDIS_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/store/backoff.h"
#include "server/store/redis_address.h"
#include "server/store/redis_connection.h"
#include "server/store/redis_inbox.h"
#include "server/store/session_store.h"

namespace rondo {

// Sessions in a Redis that many servers share.
//
// A session is a hash under `rondo:session:ID`: `epoch`, `owner` (the store that loaded it last, 128 random bits as
// hex; "free" or "doubtful": none), `number` (of that store's last command on it), `asker` (the store that would have
// it next) and `value`; Redis lets it expire. Loading takes it over (epoch + 1, owner = this store), unless its owner
// lives: then the owner is asked, see RedisInbox. Saving writes only if epoch and owner are still those of this store,
// or nothing is there. Both are scripts, so nothing comes between their steps. A command whose number is not above the
// one there was overtaken, and does nothing.
//
// A call that finds Redis gone answers UNAVAILABLE after Limits; the calls after it answer so at once, until it is time
// to try again. Durable means: in Redis's memory, on its disk as its own `appendonly` and `appendfsync` say, and in the
// memory of as many replicas as the address wants. With sentinels each connection is to the primary that they name
// then.
class RedisStore : public SessionStore {
 public:
  static constexpr absl::Duration kFirstRetry = absl::Milliseconds(50);
  static constexpr absl::Duration kLongestRetry = absl::Seconds(1);
  struct Options {
    RedisConnection::Limits limits;
    std::function<absl::Time()> now = absl::Now;  // decides when to try again
    // Open waits so long for a Redis that does not answer: Redis may be starting too, or be slow for a moment.
    absl::Duration start_patience = absl::Seconds(5);
  };
  // Bounds of one round trip.
  static constexpr size_t kMaxCommands = 1000;
  static constexpr size_t kMaxCommandBytes = 8 << 20;
  // Bounds of one Scan: so many keys are looked at in one step of Redis's, which is about a millisecond, and no further
  // step follows once so many sessions have been found, or so many steps have been made.
  static constexpr size_t kKeysAStep = 250;
  static constexpr size_t kMostFound = 500;
  static constexpr int kMostSteps = 8;

  // Fails as OpenSessionStore. Logs a warning if this Redis would lose or evict what is saved in it.
  static absl::StatusOr<std::unique_ptr<RedisStore>> Open(const RedisAddress& address, Options options);

  void Load(absl::Span<LoadOp> loads) override;
  void Save(absl::Span<SaveOp> saves) override;
  void Scan(ScanOp* scan) override;
  bool DropExpired(absl::Time /*now*/) override { return false; }  // Redis does
  void Listen(std::function<void(StoreNotice)> hear) override;
  void StopListening() override;
  void EndWhole() override;

 private:
  using AddCommand = std::function<void(size_t index, RedisCommands* commands)>;

  RedisStore(const RedisAddress& address, Options options, std::string owner);

  // Connects unless there is a connection, sees that it may write, and loads the scripts. UNAVAILABLE, at once: the
  // last failure is too short a time ago.
  absl::Status Connect();
  absl::Status ConnectFirst();
  absl::Status Prepare();
  absl::Status LoadScripts();
  // Tells this store's own inbox something, so that it wakes, or sets what others know of it.
  void Tell(std::initializer_list<absl::string_view> command);
  void WarnOfLosses();
  // Sends `count` commands, and again those whose script Redis has forgotten. The only error is UNAVAILABLE.
  absl::StatusOr<std::vector<RedisReply>> Call(size_t count, const AddCommand& add_command);
  // Has Redis answer once as many replicas as the address wants have all that was written. UNAVAILABLE: they have not,
  // and what was written may be lost with this Redis.
  absl::StatusOr<std::vector<RedisReply>> CallAndWait(RedisCommands* commands);
  absl::Status Retry(const AddCommand& add_command, std::vector<RedisReply>* replies);
  // Returns `why`.
  absl::Status Disconnect(absl::Status why);
  void LoadSome(absl::Span<LoadOp> loads);
  // Looks at the keys of one step, from *cursor on.
  absl::Status ScanStep(absl::string_view pattern, std::string* cursor, ScanOp* scan);
  void SaveSome(absl::Span<SaveOp> saves);

  const RedisAddress address_;
  const Options options_;
  const std::string owner_;
  std::unique_ptr<RedisConnection> connection_;  // null: there is none
  std::unique_ptr<RedisInbox> inbox_;            // null: nobody listens
  std::string load_script_;                      // the SHA-1 in hex, by which Redis knows the script
  std::string save_script_;
  std::string scan_script_;
  uint64_t last_number_ = 0;  // the last command's
  Backoff backoff_{kFirstRetry, kLongestRetry};
  std::minstd_rand dice_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_STORE_REDIS_STORE_H_
