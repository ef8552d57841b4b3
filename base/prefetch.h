#ifndef RONDO_BASE_PREFETCH_H_
#define RONDO_BASE_PREFETCH_H_

#include <cstddef>

namespace rondo {

// Asks the processor to have these bytes in its cache soon. Nothing is read: there need not be anything at `begin`.
inline void Prefetch(const void* begin, size_t bytes) {
  constexpr size_t kCacheLine = 64;
  for (size_t at = 0; at < bytes; at += kCacheLine) __builtin_prefetch(static_cast<const char*>(begin) + at);
}

}  // namespace rondo

#endif  // RONDO_BASE_PREFETCH_H_
