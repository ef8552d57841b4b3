#ifndef RONDO_SERVER_SERVE_RECORD_REFUSAL_H_
#define RONDO_SERVER_SERVE_RECORD_REFUSAL_H_

#include "absl/status/status.h"
#include "server/metrics/probes.h"

namespace rondo {

// Counts a refusal by its reason, and logs its cause: the first of each second and reason, with the number of those
// since the last line.
void RecordRefusal(const absl::Status& refusal, RequestsProbe* probe);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_RECORD_REFUSAL_H_
