#include "model/known_answers.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/finite.h"
#include "base/invalid.h"
#include "model/network.h"

namespace rondo {
namespace {

// Extremes of what an output answers.
struct Span {
  float least = HUGE_VALF;
  float largest = -HUGE_VALF;

  void Add(float value) {
    least = std::min(least, value);
    largest = std::max(largest, value);
  }
  double size() const {
    constexpr double kLeastPart = 0.05;
    const double magnitude = std::max(std::abs(least), std::abs(largest));
    return std::max<double>(static_cast<double>(largest) - least, kLeastPart * magnitude);
  }
};

// The output that a number of a reply belongs to: [horizon][outputs][values].
size_t OutputOf(const ModelSpec& spec, size_t place) {
  if (spec.head == Head::kSoftmax) return 0;
  return place / static_cast<size_t>(spec.values_per_output()) % spec.outputs.size();
}

absl::Status CheckTokens(const ModelSpec& spec) {
  for (const float token : spec.accuracy.inputs) {
    if (!(token >= 0 && token < static_cast<float>(spec.tokens) && token == std::floor(token))) {
      return Invalid("accuracy.inputs has the token ", token, "; it must be a whole number below ", spec.tokens);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKnownAnswers(const ModelSpec& spec) {
  const KnownAnswers& known = spec.accuracy;
  if (known.inputs.empty() && known.outputs.empty()) return absl::OkStatus();
  const auto inputs = static_cast<size_t>(spec.input_size()), outputs = static_cast<size_t>(spec.output_size());
  const size_t timesteps = known.inputs.size() / inputs;
  if (known.inputs.size() % inputs != 0 || timesteps < 1 || timesteps > kMostKnownTimesteps) {
    return Invalid("accuracy.inputs has ", known.inputs.size(), " numbers; it must be ", inputs,
                   " a timestep, for 1 to ", kMostKnownTimesteps, " of them");
  }
  if (known.outputs.size() != timesteps * outputs) {
    return Invalid("accuracy.outputs has ", known.outputs.size(), " numbers; ", timesteps, " timesteps have ",
                   timesteps * outputs);
  }
  const size_t times = spec.needs_times() ? timesteps : 0;
  if (known.times.size() != times) {
    return Invalid("accuracy.times has ", known.times.size(), " numbers; it must have ", times);
  }
  if (!AllFinite(known.inputs) || !AllFinite(known.outputs)) {
    return Invalid("accuracy has a number that is not finite as a float");
  }
  return spec.tokens > 0 ? CheckTokens(spec) : absl::OkStatus();
}

KnownAnswers MakeQuestions(const ModelSpec& spec) {
  constexpr size_t kTimesteps = 32;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  KnownAnswers answers;
  for (size_t t = 0; t < kTimesteps; ++t) {
    if (spec.tokens > 0) answers.inputs.push_back(static_cast<float>(random() % static_cast<uint64_t>(spec.tokens)));
    for (const InputFeature& input : spec.inputs) {
      answers.inputs.push_back(static_cast<float>(input.mean + input.std * normal(random)));
    }
    if (spec.needs_times()) {
      answers.times.push_back(static_cast<int64_t>(static_cast<double>(t) * std::max(1.0, spec.step_seconds)));
    }
  }
  return answers;
}

absl::Status Answer(const Network& network, KnownAnswers* answers) {
  const ModelSpec& spec = network.spec();
  const auto inputs = static_cast<size_t>(spec.input_size()), outputs = static_cast<size_t>(spec.output_size());
  const size_t timesteps = answers->inputs.size() / inputs;
  const int64_t* const times = answers->times.empty() ? nullptr : answers->times.data();
  answers->outputs.resize(timesteps * outputs);
  bool finite = true;
  if (spec.whole_sequence()) {
    WholeSequence whole{answers->inputs.data(), times, timesteps, answers->outputs.data()};
    network.RunWhole({&whole, 1});
    finite = whole.finite;
  }
  std::vector<float> state = network.initial_state();
  state.resize(static_cast<size_t>(spec.state_size()));
  for (size_t t = 0; t < timesteps && finite && !spec.whole_sequence(); ++t) {
    StepRow row;
    row.input = &answers->inputs[t * inputs];
    row.time = times == nullptr ? 0 : times[t];
    row.state_in = row.state_out = state.data();
    row.output = &answers->outputs[t * outputs];
    network.Step({&row, 1});
    finite = row.finite;
  }
  return finite ? absl::OkStatus() : absl::OutOfRangeError("an answer to the inputs of `accuracy` is not finite");
}

absl::StatusOr<double> ErrorOf(const Network& network, const KnownAnswers& known) {
  const ModelSpec& spec = network.spec();
  const auto outputs = static_cast<size_t>(spec.output_size());
  KnownAnswers answers = known;
  if (absl::Status status = Answer(network, &answers); !status.ok()) return status;
  std::vector<Span> spans(spec.outputs.size());
  for (size_t i = 0; i < known.outputs.size(); ++i) spans[OutputOf(spec, i % outputs)].Add(known.outputs[i]);
  double largest = 0;
  for (size_t i = 0; i < known.outputs.size(); ++i) {
    const double error = std::abs(static_cast<double>(answers.outputs[i]) - known.outputs[i]);
    if (error > 0) largest = std::max(largest, error / spans[OutputOf(spec, i % outputs)].size());
  }
  return largest;
}

}  // namespace rondo
