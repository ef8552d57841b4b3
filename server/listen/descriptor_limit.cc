#include "server/listen/descriptor_limit.h"

#include <sys/resource.h>

#include <algorithm>

namespace rondo {
namespace {

constexpr size_t kKept = 128;
constexpr size_t kFewest = 64;  // what any system grants, should the limit be unreadable
constexpr size_t kMost = 1'000'000;

}  // namespace

size_t RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFewest;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<size_t>(std::min<rlim_t>(limit.rlim_cur, kMost));
}

size_t MostConnections(size_t descriptors) { return descriptors - std::min(kKept, descriptors / 2); }

}  // namespace rondo
