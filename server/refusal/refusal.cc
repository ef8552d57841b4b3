#include "server/refusal/refusal.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/cord.h"

namespace rondo {
namespace {

constexpr absl::string_view kPayload = "rondo/why";

// The payload: one byte of Why, then the next position (8 bytes) or when to try again (4 bytes), if it has one of
// these. A Cord holds it without allocating.
template <typename Number>
absl::Status Attach(absl::Status status, Why why, const std::optional<Number>& more) {
  std::string bytes(1, static_cast<char>(why));
  if (more) bytes.append(reinterpret_cast<const char*>(&*more), sizeof(*more));
  status.SetPayload(kPayload, absl::Cord(bytes));
  return status;
}

absl::StatusCode CodeOf(Why why) { return kRefusalRows[static_cast<size_t>(why)].code; }

}  // namespace

absl::Status Refuse(Why why, absl::string_view text) {
  return Attach(absl::Status(CodeOf(why), text), why, std::optional<int64_t>());
}

absl::Status Refuse(Why why, absl::string_view text, int64_t next_position) {
  return Attach(absl::Status(CodeOf(why), text), why, std::optional<int64_t>(next_position));
}

absl::Status RefuseFor(absl::Duration time, Why why, absl::string_view text) {
  const int64_t ms = std::min<int64_t>(absl::ToInt64Milliseconds(time), std::numeric_limits<int32_t>::max());
  return Attach(absl::Status(CodeOf(why), text), why, std::optional<int32_t>(static_cast<int32_t>(ms)));
}

absl::Status ShuttingDown() { return Refuse(Why::kDraining, "the server is shutting down"); }

absl::Status CancelledByClient() { return Refuse(Why::kCancelled, "cancelled by the client"); }

absl::Status WithWhy(Why why, absl::Status cause) { return Attach(std::move(cause), why, std::optional<int64_t>()); }

Refusal RefusalOf(const absl::Status& status) {
  Refusal refusal;
  int32_t retry_after_ms = 0;
  if (const absl::optional<absl::Cord> payload = status.GetPayload(kPayload)) {
    const std::string bytes(*payload);
    refusal.why = static_cast<Why>(bytes[0]);
    if (bytes.size() == 1 + sizeof(int64_t)) {
      std::memcpy(&refusal.next_position.emplace(), bytes.data() + 1, sizeof(int64_t));
    } else if (bytes.size() == 1 + sizeof(retry_after_ms)) {
      std::memcpy(&retry_after_ms, bytes.data() + 1, sizeof(retry_after_ms));
    }
  }
  refusal.retry_after_ms = std::max(retry_after_ms, kRefusalRows[static_cast<size_t>(refusal.why)].retry_after_ms);
  return refusal;
}

}  // namespace rondo
