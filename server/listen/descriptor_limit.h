#ifndef RONDO_SERVER_LISTEN_DESCRIPTOR_LIMIT_H_
#define RONDO_SERVER_LISTEN_DESCRIPTOR_LIMIT_H_

#include <cstddef>

namespace rondo {

// Raises this process's soft limit of descriptors to its hard limit, and returns the limit that holds now.
size_t RaiseDescriptorLimit();

// Returns how many connections may be open at once when the process may have `descriptors`: the rest is kept for files,
// stores, /metrics and gRPC's own. The rest is 128, or half of them where that would leave less than half.
size_t MostConnections(size_t descriptors);

}  // namespace rondo

#endif  // RONDO_SERVER_LISTEN_DESCRIPTOR_LIMIT_H_
