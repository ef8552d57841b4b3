#ifndef RONDO_SERVER_SERVE_OR_OUT_OF_MEMORY_H_
#define RONDO_SERVER_SERVE_OR_OUT_OF_MEMORY_H_

#include <new>

#include "server/refusal/refusal.h"

namespace rondo {

// Returns what `step` returns, or the refusal of a request that the process had no memory for. REQUIRES: `step` leaves
// nothing half done when it throws, and does not end the request.
template <typename Step>
auto OrOutOfMemory(const Step& step) -> decltype(step()) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return Refuse(Why::kOutOfMemory, "the server has no memory left for this request; nothing has changed");
  }
}

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_OR_OUT_OF_MEMORY_H_
