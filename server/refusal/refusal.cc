#include "server/refusal/refusal.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/cord.h"

namespace rondo {
namespace {

constexpr absl::string_view kPayload = "rondo/why";

// The payload: one byte of Why, then the next position if there is one. A Cord holds it without allocating.
absl::Status Attach(absl::Status status, Why why, const std::optional<int64_t>& next_position) {
  std::string bytes(1, static_cast<char>(why));
  if (next_position) bytes.append(reinterpret_cast<const char*>(&*next_position), sizeof(*next_position));
  status.SetPayload(kPayload, absl::Cord(bytes));
  return status;
}

absl::StatusCode CodeOf(Why why) { return kRefusalRows[static_cast<size_t>(why)].code; }

}  // namespace

absl::Status Refuse(Why why, absl::string_view text) {
  return Attach(absl::Status(CodeOf(why), text), why, std::nullopt);
}

absl::Status Refuse(Why why, absl::string_view text, int64_t next_position) {
  return Attach(absl::Status(CodeOf(why), text), why, next_position);
}

absl::Status ShuttingDown() { return Refuse(Why::kDraining, "the server is shutting down"); }

absl::Status CancelledByClient() { return Refuse(Why::kCancelled, "cancelled by the client"); }

absl::Status WithWhy(Why why, absl::Status cause) { return Attach(std::move(cause), why, std::nullopt); }

Refusal RefusalOf(const absl::Status& status) {
  Refusal refusal;
  if (const absl::optional<absl::Cord> payload = status.GetPayload(kPayload)) {
    const std::string bytes(*payload);
    refusal.why = static_cast<Why>(bytes[0]);
    if (bytes.size() > 1) std::memcpy(&refusal.next_position.emplace(), bytes.data() + 1, sizeof(int64_t));
  }
  refusal.retry_after_ms = kRefusalRows[static_cast<size_t>(refusal.why)].retry_after_ms;
  return refusal;
}

}  // namespace rondo
