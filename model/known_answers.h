#ifndef RONDO_MODEL_KNOWN_ANSWERS_H_
#define RONDO_MODEL_KNOWN_ANSWERS_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/model_spec.h"

namespace rondo {

class Network;

// Most timesteps that answers are known of.
inline constexpr size_t kMostKnownTimesteps = 1024;

// INVALID_ARGUMENT: sizes that do not follow from the spec, more timesteps than that, a number that is not finite, a
// token that is none of the model's. Nothing known is fine.
absl::Status CheckKnownAnswers(const ModelSpec& spec);

// A sequence such as the model may see, where nobody brings a real one: inputs are drawn from a normal distribution of
// their mean and std, tokens evenly. Always the same for one spec. Its outputs are empty.
KnownAnswers MakeQuestions(const ModelSpec& spec);

// Fills in what the network answers to the inputs. OUT_OF_RANGE: an answer is not finite. A thread calls
// PrepareComputeThread first.
absl::Status Answer(const Network& network, KnownAnswers* answers);

// Returns how far the network's answers lie from those that are known at most, as a part of what its output spans: from
// the least to the largest of all its known answers, or 5 % of the largest magnitude if that is more. The classes of a
// softmax are one output. Errors as Answer.
absl::StatusOr<double> ErrorOf(const Network& network, const KnownAnswers& known);

}  // namespace rondo

#endif  // RONDO_MODEL_KNOWN_ANSWERS_H_
