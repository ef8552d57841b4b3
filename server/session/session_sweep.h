#ifndef RONDO_SERVER_SESSION_SESSION_SWEEP_H_
#define RONDO_SERVER_SESSION_SESSION_SWEEP_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/session/session_table.h"

namespace rondo {

// Ends sessions that nobody names one by one: those whose time is over, those that are abandoned where a place is
// needed, and those that a client deletes together.
//
// Threads: every method may be called from any thread. Each takes one shard's lock after the other, for some
//          microseconds.
class SessionSweep {
 public:
  // `table` outlives this.
  explicit SessionSweep(SessionTable* table) : table_(table) {}

  // These do what SessionTable says of its methods of these names.
  size_t ExpireIdle(absl::Time now);
  absl::StatusOr<size_t> DeleteMany(const SessionFilter& filter, std::string* page_token);

  // `refusal`: why a new session `id` found no place. True: an abandoned session has ended that was in its way, so that
  // it is worth another try. After a look in vain there is none for 100 ms.
  bool EndAbandoned(const absl::Status& refusal, absl::string_view id, absl::Time now);

 private:
  bool ExpireSome(SessionShard& shard, absl::Time now, size_t* expired);
  // Ends those that match from *place on, and moves *place. Returns how many ended.
  size_t DeleteSome(SessionShard& shard, const SessionFilter& filter, uint32_t* place, bool* at_end);
  // `tenant`: whose sessions may go; null: anyone's.
  bool EndOneOf(SessionShard& shard, const absl::string_view* tenant, absl::Time now);

  SessionTable* const table_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SESSION_SESSION_SWEEP_H_
