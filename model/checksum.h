#ifndef RONDO_MODEL_CHECKSUM_H_
#define RONDO_MODEL_CHECKSUM_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace rondo {

// FNV-1a, 64 bits: tells files apart and finds broken ones; no protection against an adversary.
inline uint64_t Checksum(absl::string_view bytes, uint64_t seed = 0xcbf29ce484222325ULL) {
  uint64_t hash = seed;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return hash;
}

}  // namespace rondo

#endif  // RONDO_MODEL_CHECKSUM_H_
