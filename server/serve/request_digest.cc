#include "server/serve/request_digest.h"

#include <cstddef>
#include <cstring>

namespace rondo {
namespace {

uint64_t RotateLeft(uint64_t word, int bits) { return (word << bits) | (word >> (64 - bits)); }

uint64_t WordAt(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// The rounds and constants of XXH64 (Collet, the xxHash specification): four lanes, so that no multiplication waits for
// the one before it. Not its digest: ends are padded with zeros, and lengths are hashed by the caller.
constexpr uint64_t kPrime1 = 0x9e3779b185ebca87;
constexpr uint64_t kPrime2 = 0xc2b2ae3d27d4eb4f;
constexpr uint64_t kPrime3 = 0x165667b19e3779f9;

uint64_t Round(uint64_t lane, uint64_t word) { return RotateLeft(lane + word * kPrime2, 31) * kPrime1; }

uint64_t HashBytes(uint64_t seed, const char* bytes, size_t size) {
  uint64_t lanes[4] = {seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
  for (; size >= sizeof(lanes); bytes += sizeof(lanes), size -= sizeof(lanes)) {
    for (int i = 0; i < 4; ++i) lanes[i] = Round(lanes[i], WordAt(bytes + 8 * i));
  }
  if (size > 0) {
    char last[sizeof(lanes)] = {};
    std::memcpy(last, bytes, size);
    for (int i = 0; i < 4; ++i) lanes[i] = Round(lanes[i], WordAt(last + 8 * i));
  }
  uint64_t hash =
      RotateLeft(lanes[0], 1) + RotateLeft(lanes[1], 7) + RotateLeft(lanes[2], 12) + RotateLeft(lanes[3], 18);
  for (const uint64_t lane : lanes) hash = (hash ^ Round(0, lane)) * kPrime1 + kPrime3;
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

}  // namespace

uint64_t RequestDigest(absl::Span<const float> values, absl::Span<const int64_t> times, bool last_only) {
  const uint64_t lengths[] = {values.size(), times.size(), last_only ? 1u : 0u};
  uint64_t hash = HashBytes(0, reinterpret_cast<const char*>(lengths), sizeof(lengths));
  hash = HashBytes(hash, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  if (times.empty()) return hash;
  return HashBytes(hash, reinterpret_cast<const char*>(times.data()), times.size() * sizeof(int64_t));
}

}  // namespace rondo
