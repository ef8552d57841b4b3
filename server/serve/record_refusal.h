#ifndef RONDO_SERVER_SERVE_RECORD_REFUSAL_H_
#define RONDO_SERVER_SERVE_RECORD_REFUSAL_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/metrics/probes.h"
#include "server/serve/message_owner.h"

namespace rondo {

// Whose request was refused, for the log. It borrows all that it points to; what is not known is empty.
struct RefusedRequest {
  absl::string_view method;
  absl::string_view model;
  absl::string_view id;            // empty: the caller's
  const Caller* caller = nullptr;  // null: not known
};

// Counts a refusal by its reason, and logs its cause: the first of each second and reason, with the number of those
// since the last line.
void RecordRefusal(const absl::Status& refusal, const RefusedRequest& request, RequestsProbe* probe);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_RECORD_REFUSAL_H_
