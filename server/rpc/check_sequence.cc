#include "server/rpc/check_sequence.h"

#include <cmath>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

// The years 1 to 9999, as google.protobuf.Timestamp.
constexpr int64_t kMinTime = -62'135'596'800;
constexpr int64_t kMaxTime = 253'402'300'799;

// One pass without a branch: x * 0 is NaN for every x that is not finite.
bool AllFinite(absl::Span<const float> values) {
  float sum = 0;
  for (const float value : values) sum += value * 0.0f;
  return sum == 0.0f;
}

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

uint64_t Mix(uint64_t hash, uint64_t word) {
  // The finalizer of MurmurHash3 over the running sum.
  hash ^= word + 0x9e3779b97f4a7c15u + (hash << 6) + (hash >> 2);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
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
  uint64_t hash = Mix(values.size(), times.size() * 2 + (last_only ? 1 : 0));
  size_t i = 0;
  for (; i + 2 <= values.size(); i += 2) {
    uint64_t word;
    std::memcpy(&word, &values[i], sizeof(word));
    hash = Mix(hash, word);
  }
  if (i < values.size()) {
    uint32_t word;
    std::memcpy(&word, &values[i], sizeof(word));
    hash = Mix(hash, word);
  }
  for (const int64_t time : times) hash = Mix(hash, static_cast<uint64_t>(time));
  return hash;
}

}  // namespace rondo
