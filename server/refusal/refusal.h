#ifndef RONDO_SERVER_REFUSAL_REFUSAL_H_
#define RONDO_SERVER_REFUSAL_REFUSAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rondo {

// Why a request is turned away without being run. A new reason is an enumerator before kCount and a row of
// kRefusalRows; without its row it does not compile.
enum class Why : uint8_t {
  kInvalid,
  kNotFound,
  kPosition,  // the session or its model is not as the request takes it to be
  kQueueFull,
  kSessionsFull,
  kStreamsFull,
  kWorkBudget,    // the steps of all requests
  kMemoryBudget,  // the bytes of all requests
  kOutOfMemory,   // the process has none left
  kDeadline,
  kCancelled,
  kDraining,
  kMoved,      // another server has the session
  kWentBack,   // the session may be older than what was answered: said until a client has heard it
  kStore,      // the session store is away, or what it has of the session is damaged
  kStoreFull,  // the session store has no room
  kConnectionsFull,
  kModelAway,        // the model is being loaded, or its file cannot be
  kWholeSequence,    // the model's network takes whole sequences, and no session
  kOutOfOrder,       // it has no position, and one that came before it was refused or may come behind it
  kUnauthenticated,  // who calls has not said who they are, or nobody knows them
  kPermission,       // who calls may not call this method
  kTenantQuota,      // the tenant has taken what it may
  kNoMessage,        // its message has not come in time
  kCount
};
inline constexpr size_t kNumWhys = static_cast<size_t>(Why::kCount);

// A full queue empties within some batches; longer waits only idle the client.
inline constexpr int kRetryWhenFullMs = 100;

struct RefusalRow {
  Why why;
  absl::string_view label;  // of rondo_rejected_total, and of log lines
  absl::StatusCode code;    // what Refuse answers with
  int retry_after_ms;       // when a client should try again; 0: no advice
};

inline constexpr std::array<RefusalRow, kNumWhys> kRefusalRows = {{
    {Why::kInvalid, "invalid", absl::StatusCode::kInvalidArgument, 0},
    {Why::kNotFound, "not_found", absl::StatusCode::kNotFound, 0},
    {Why::kPosition, "position", absl::StatusCode::kFailedPrecondition, 0},
    {Why::kQueueFull, "queue_full", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kSessionsFull, "sessions_full", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kStreamsFull, "streams_full", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kWorkBudget, "work_budget", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kMemoryBudget, "memory_budget", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kOutOfMemory, "out_of_memory", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kDeadline, "deadline", absl::StatusCode::kDeadlineExceeded, 0},
    {Why::kCancelled, "cancelled", absl::StatusCode::kCancelled, 0},
    {Why::kDraining, "draining", absl::StatusCode::kUnavailable, 0},
    {Why::kMoved, "moved", absl::StatusCode::kAborted, 0},
    {Why::kWentBack, "went_back", absl::StatusCode::kFailedPrecondition, 0},
    {Why::kStore, "store", absl::StatusCode::kUnavailable, 0},
    {Why::kStoreFull, "store_full", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kConnectionsFull, "connections_full", absl::StatusCode::kUnavailable, 0},
    {Why::kModelAway, "model_away", absl::StatusCode::kUnavailable, kRetryWhenFullMs},
    {Why::kWholeSequence, "whole_sequence", absl::StatusCode::kFailedPrecondition, 0},
    {Why::kOutOfOrder, "out_of_order", absl::StatusCode::kFailedPrecondition, 0},
    {Why::kUnauthenticated, "unauthenticated", absl::StatusCode::kUnauthenticated, 0},
    {Why::kPermission, "permission_denied", absl::StatusCode::kPermissionDenied, 0},
    {Why::kTenantQuota, "tenant_quota", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
    {Why::kNoMessage, "no_message", absl::StatusCode::kResourceExhausted, kRetryWhenFullMs},
}};

constexpr bool EachReasonHasItsRow() {
  for (size_t i = 0; i < kNumWhys; ++i) {
    if (kRefusalRows[i].why != static_cast<Why>(i) || kRefusalRows[i].label.empty()) return false;
  }
  return true;
}
static_assert(EachReasonHasItsRow(), "kRefusalRows wants one row a reason, in the order of the enumerators");

constexpr absl::string_view LabelOf(Why why) {
  return why < Why::kCount ? kRefusalRows[static_cast<size_t>(why)].label : absl::string_view();
}

// A refusal travels as an absl::Status that carries its reason, from where it is made to the client, past layers that
// need not know it. This is such a status, read.
struct Refusal {
  Why why = Why::kInvalid;
  // The position from which the session goes on for a client that has kept its timesteps; absent: the status does not
  // say.
  std::optional<int64_t> next_position;
  int retry_after_ms = 0;  // at least; see RetryAdvice
};

// The status of a refusal: the code of the reason's row, `text` for the client, and the reason itself.
absl::Status Refuse(Why why, absl::string_view text);
absl::Status Refuse(Why why, absl::string_view text, int64_t next_position);
// The status of a refusal of which it is known when there may be room again: after `time`, and not sooner than the row
// says.
absl::Status RefuseFor(absl::Duration time, Why why, absl::string_view text);
// `cause` with its own code and text, and the reason. REQUIRES: !cause.ok().
absl::Status WithWhy(Why why, absl::Status cause);

// Refusals that are made in several places.
absl::Status ShuttingDown();
absl::Status CancelledByClient();

// Reads a status that is not OK. One that carries no reason was made by a check that knows of no requests, like that of
// a model's values: the request is invalid.
Refusal RefusalOf(const absl::Status& status);

}  // namespace rondo

#endif  // RONDO_SERVER_REFUSAL_REFUSAL_H_
