#include "server/session/session_queue.h"

#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/session/session_id.h"

namespace rondo {
namespace {

// gRPC hands calls of one connection to one loop in their order, but may hand some to another loop: then nobody knows
// which of two came first.
absl::Status CheckOrder(const LiveSession& session, const RequestOrder& order) {
  if (!order.by_arrival) return absl::OkStatus();
  if (session.lost_one) {
    return Refuse(Why::kOutOfOrder, absl::StrCat("session '", IdIn(session.id),
                                                 "' is busy, and a request before this one was "
                                                 "refused; wanted after the replies to those before it"));
  }
  if (order.connection == 0 || order.connection != session.last_order.connection ||
      order.loop == session.last_order.loop) {
    return absl::OkStatus();
  }
  return Refuse(Why::kOutOfOrder,
                absl::StrCat("calls for session '", IdIn(session.id),
                             "' overlap, and their order is not "
                             "known; wanted one after the reply to the other, positions, or a stream"));
}

}  // namespace

absl::Status CheckMayWait(const RequestOrder& order, size_t most, LiveSession* session) {
  if (absl::Status status = CheckOrder(*session, order); !status.ok()) {
    session->lost_one = true;
    return status;
  }
  if (session->queue.size() >= most) {
    session->lost_one = session->lost_one || order.by_arrival;
    return Refuse(Why::kQueueFull, absl::StrCat("session '", IdIn(session->id), "' is busy and ", session->queue.size(),
                                                " requests wait for it, the most that may"));
  }
  return absl::OkStatus();
}

}  // namespace rondo
