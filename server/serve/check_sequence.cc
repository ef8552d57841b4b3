#include "server/serve/check_sequence.h"

#include <cmath>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/finite.h"
#include "base/invalid.h"
#include "base/time_text.h"
#include "server/refusal/refusal.h"

namespace rondo {
namespace {

absl::Status CheckTimes(absl::Span<const int64_t> times, size_t timesteps, const Model& model) {
  if (times.empty() && !model.spec().needs_times()) return absl::OkStatus();
  if (times.size() != timesteps) {
    return Invalid("times has ", times.size(), " entries; ", timesteps, " timesteps of model '", model.name,
                   "' take one each");
  }
  return CheckYears(times);
}

std::string PlaceOf(size_t index, const ModelSpec& spec) {
  const size_t input_size = static_cast<size_t>(spec.input_size());
  const size_t column = index % input_size;
  const std::string input = spec.tokens > 0 ? "the token" : absl::StrCat("input '", spec.inputs[column].name, "'");
  return absl::StrCat("values[", index, "] (timestep ", index / input_size, ", ", input, ")");
}

absl::Status CheckToken(float value, size_t index, const ModelSpec& spec) {
  if (value >= 0 && value < static_cast<float>(spec.tokens) && value == std::floor(value)) return absl::OkStatus();
  return Invalid(PlaceOf(index, spec), " is ", value, "; wanted a whole number from 0 to ", spec.tokens - 1);
}

absl::Status CheckReplySize(const SequenceView& sequence, const ModelSpec& spec, bool last_only, size_t max_bytes) {
  const size_t rows = last_only ? 1 : sequence.values.size() / static_cast<size_t>(spec.input_size());
  const size_t bytes = rows * static_cast<size_t>(spec.output_size()) * sizeof(float);
  if (bytes <= max_bytes) return absl::OkStatus();
  return Invalid("the reply would have ", bytes, " bytes; a message has at most ", max_bytes,
                 ": send fewer timesteps, or ask for last_only");
}

}  // namespace

absl::Status CheckSteps(const Model& model) {
  if (!model.spec().whole_sequence()) return absl::OkStatus();
  return Refuse(Why::kWholeSequence,
                absl::StrCat("model '", model.name, "' needs the whole sequence at once, for its element '",
                             model.spec().graph->whole_sequence_element(),
                             "': it has no session and no forecast; send each sequence whole, without session_id"));
}

absl::Status CheckSequence(const SequenceView& sequence, const Model& model, bool last_only,
                           const ServeLimits& limits) {
  if (!sequence.session_id.empty()) {
    if (absl::Status status = CheckSteps(model); !status.ok()) return status;
  }
  if (sequence.session_id.empty()) {
    if (sequence.end_session) return absl::InvalidArgumentError("end_session is set, but session_id is empty");
    if (sequence.position.value_or(0) != 0) {
      return Invalid("position is ", *sequence.position, ", but session_id is empty");
    }
  }
  absl::Status status = CheckTimesteps(sequence.values, sequence.times, model, limits.max_timesteps);
  if (!status.ok()) return status;
  return CheckReplySize(sequence, model.spec(), last_only, limits.max_message_bytes);
}

absl::Status CheckYears(absl::Span<const int64_t> times) {
  for (const int64_t time : times) {
    if (time < kMinTime || time > kMaxTime) {
      return Invalid("a time is ", time, "; wanted unix seconds in the years 1 to 9999");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTimesteps(absl::Span<const float> values, absl::Span<const int64_t> times, const Model& model,
                            size_t max_timesteps) {
  const size_t input_size = static_cast<size_t>(model.spec().input_size());
  if (values.empty() || values.size() % input_size != 0) {
    return Invalid("values has ", values.size(), " floats; model '", model.name,
                   "' takes a multiple of input_size=", input_size, ", at least one timestep");
  }
  const size_t timesteps = values.size() / input_size;
  if (timesteps > max_timesteps) {
    return Invalid("the sequence has ", timesteps, " timesteps; at most ", max_timesteps,
                   " are taken at once: send it in parts with a session");
  }
  if (timesteps > model.network->max_timesteps()) {
    return Invalid("the sequence has ", timesteps, " timesteps; model '", model.name,
                   "' takes whole sequences of at most ", model.network->max_timesteps());
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
      return Invalid(PlaceOf(i, spec), " is ", values[i], "; wanted a finite number");
    }
    if (!tokens) continue;
    if (absl::Status status = CheckToken(values[i], i, spec); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace rondo
