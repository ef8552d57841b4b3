#ifndef RONDO_BASE_CPU_LIST_H_
#define RONDO_BASE_CPU_LIST_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Lists of CPUs are written as taskset does: "0,2-3".

// Returns the CPUs that this process may run on.
std::string CurrentCpus();

// Moves this thread, and all that it will start, to these CPUs. An empty list changes nothing.
// INVALID_ARGUMENT: not a list, or none of these CPUs may be used.
absl::Status MoveToCpus(absl::string_view list);

}  // namespace rondo

#endif  // RONDO_BASE_CPU_LIST_H_
