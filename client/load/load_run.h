#ifndef RONDO_CLIENT_LOAD_LOAD_RUN_H_
#define RONDO_CLIENT_LOAD_LOAD_RUN_H_

#include <atomic>

#include "absl/status/statusor.h"
#include "client/load/load_options.h"
#include "client/load/report.h"

namespace rondo::load {

// Runs the load: asks the server for the model's shape, starts rondo-echo if that is the baseline, drives the server
// and the baseline in turn, round by round, and ends the sessions that it made. Those of a pool it creates first.
//
// Once `*stop` is true the round that runs ends, no further one starts, and the report is of what was measured.
// Errors: only if nothing could be measured; failed messages are counted in the report.
// REQUIRES: `options` are as LoadOptionTable lets them through.
absl::StatusOr<RunReport> RunLoad(const LoadOptions& options, const std::atomic<bool>* stop);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_LOAD_RUN_H_
