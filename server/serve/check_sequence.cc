#include "server/serve/check_sequence.h"

#include <cmath>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/finite.h"
#include "base/time_text.h"

namespace rondo {
namespace {

absl::Status CheckTimes(absl::Span<const int64_t> times, size_t timesteps, const Model& model) {
  if (times.empty() && !model.spec().needs_times()) return absl::OkStatus();
  if (times.size() != timesteps) {
    return absl::InvalidArgumentError(absl::StrCat("times has ", times.size(), " entries; ", timesteps,
                                                   " timesteps of model '", model.name, "' take one each"));
  }
  for (const int64_t time : times) {
    if (time < kMinTime || time > kMaxTime) {
      return absl::InvalidArgumentError(
          absl::StrCat("a time is ", time, "; wanted unix seconds in the years 1 to 9999"));
    }
  }
  return absl::OkStatus();
}

std::string PlaceOf(size_t index, const ModelSpec& spec) {
  const size_t input_size = static_cast<size_t>(spec.input_size());
  const size_t column = index % input_size;
  const std::string input = spec.tokens > 0 ? "the token" : absl::StrCat("input '", spec.inputs[column].name, "'");
  return absl::StrCat("values[", index, "] (timestep ", index / input_size, ", ", input, ")");
}

absl::Status CheckToken(float value, size_t index, const ModelSpec& spec) {
  if (value >= 0 && value < static_cast<float>(spec.tokens) && value == std::floor(value)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(PlaceOf(index, spec), " is ", value, "; wanted a whole number from 0 to ", spec.tokens - 1));
}

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

absl::Status CheckTimesteps(absl::Span<const float> values, absl::Span<const int64_t> times, const Model& model,
                            size_t max_timesteps) {
  const size_t input_size = static_cast<size_t>(model.spec().input_size());
  if (values.empty() || values.size() % input_size != 0) {
    return absl::InvalidArgumentError(absl::StrCat("values has ", values.size(), " floats; model '", model.name,
                                                   "' takes a multiple of input_size=", input_size,
                                                   ", at least one timestep"));
  }
  const size_t timesteps = values.size() / input_size;
  if (timesteps > max_timesteps) {
    return absl::InvalidArgumentError(absl::StrCat("the sequence has ", timesteps, " timesteps; at most ",
                                                   max_timesteps,
                                                   " are taken at once: send it in parts with a session"));
  }
  if (absl::Status status = CheckTimes(times, timesteps, model); !status.ok()) return status;
  return CheckValues(values, model, {});
}

absl::Status CheckValues(absl::Span<const float> values, const Model& model, absl::Span<const bool> ignored) {
  const ModelSpec& spec = model.spec();
  const bool tokens = spec.tokens > 0;
  if (!tokens && AllFinite(values)) return absl::OkStatus();
  for (size_t i = 0; i < values.size(); ++i) {
    if (!ignored.empty() && ignored[i % ignored.size()]) continue;
    if (!std::isfinite(values[i])) {
      return absl::InvalidArgumentError(absl::StrCat(PlaceOf(i, spec), " is ", values[i], "; wanted a finite number"));
    }
    if (!tokens) continue;
    if (absl::Status status = CheckToken(values[i], i, spec); !status.ok()) return status;
  }
  return absl::OkStatus();
}

uint64_t FingerprintOf(absl::Span<const float> values, absl::Span<const int64_t> times, bool last_only) {
  const uint64_t lengths[] = {values.size(), times.size(), last_only ? 1u : 0u};
  uint64_t hash = HashBytes(0, reinterpret_cast<const char*>(lengths), sizeof(lengths));
  hash = HashBytes(hash, reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  if (times.empty()) return hash;
  return HashBytes(hash, reinterpret_cast<const char*>(times.data()), times.size() * sizeof(int64_t));
}

}  // namespace rondo
