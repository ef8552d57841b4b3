#include "server/serve/check_generate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/token_sampler.h"

namespace rondo {
namespace {

constexpr int64_t kMaxBeams = 16;
constexpr double kMaxLengthPenalty = 10;
constexpr size_t kMaxStopTokens = 64;

absl::Status CheckTokens(absl::string_view what, absl::Span<const int32_t> tokens, const ModelSpec& spec) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] >= 0 && tokens[i] < spec.tokens) continue;
    return Invalid(what, "[", i, "] is ", tokens[i], "; wanted a token from 0 to ", spec.tokens - 1);
  }
  return absl::OkStatus();
}

// FAILED_PRECONDITION: what the model answers are not the probabilities of its next token.
absl::Status CheckGenerates(const Model& model) {
  if (absl::Status status = CheckSteps(model); !status.ok()) return status;
  const ModelSpec& spec = model.spec();
  if (spec.tokens > 0 && spec.head == Head::kSoftmax && spec.output_size() == spec.tokens) return absl::OkStatus();
  return Refuse(Why::kPosition, absl::StrCat("model '", model.name, "' takes ", spec.tokens, " tokens and answers ",
                                             spec.output_size(), " numbers with head ", HeadName(spec.head),
                                             "; to generate it has to take tokens and to answer the probability of "
                                             "each of them, with head softmax"));
}

absl::Status CheckBeams(const GenerateView& request) {
  if (request.num_beams < 0 || request.num_beams > kMaxBeams) {
    return Invalid("num_beams is ", request.num_beams, "; wanted 2 to ", kMaxBeams, ", or 0 for no beam search");
  }
  if (!(request.length_penalty >= 0 && request.length_penalty <= kMaxLengthPenalty)) {
    return Invalid("length_penalty is ", request.length_penalty, "; wanted 0 to ", kMaxLengthPenalty);
  }
  if (request.num_beams <= 1) {
    if (request.length_penalty == 0) return absl::OkStatus();
    return Invalid("length_penalty is ", request.length_penalty, ", but num_beams is ", request.num_beams,
                   ": there is nothing to compare");
  }
  if (request.move_session) {
    return absl::InvalidArgumentError("move_session and num_beams are set; a beam search leaves its session as it is");
  }
  const SamplingRules& rules = request.sampling;
  if (rules.temperature == 1 && rules.top_k == 0 && rules.top_p == 1 && rules.repetition_penalty == 1) {
    return absl::OkStatus();
  }
  return Invalid("num_beams is ", request.num_beams,
                 ", and temperature, top_k, top_p or repetition_penalty is given: a beam search samples nothing");
}

absl::Status ReadTexts(const GenerateView& request, const Model& model, size_t most_tokens, RequestTokens* wanted) {
  if (request.prompt_text.empty() && request.stop_texts.empty()) return absl::OkStatus();
  const Vocabulary* const vocabulary = model.spec().vocabulary.get();
  if (vocabulary == nullptr) {
    return Refuse(Why::kPosition,
                  absl::StrCat("model '", model.name, "' has no vocabulary in its file: prompt and stop ",
                               "tokens must be given as numbers"));
  }
  for (const absl::string_view text : request.stop_texts) {
    const auto tokens = vocabulary->Encode(text, 1);
    if (!tokens.ok() || tokens->size() != 1) {
      return Invalid("the stop text '", absl::CHexEscape(text.substr(0, 64)), "' is not the text of one token");
    }
    wanted->stops.push_back(tokens->front());
  }
  if (request.prompt_text.empty()) return absl::OkStatus();
  auto tokens = vocabulary->Encode(request.prompt_text, most_tokens);
  if (!tokens.ok()) return tokens.status();
  wanted->prompt = *std::move(tokens);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGenerate(const GenerateView& request, const ServeLimits& limits) {
  const size_t most = limits.max_timesteps;
  if (request.max_tokens < 1 || request.max_tokens > static_cast<int64_t>(most)) {
    return Invalid("max_tokens is ", request.max_tokens, "; wanted 1 to ", most);
  }
  if (!request.prompt.empty() && !request.prompt_text.empty()) {
    return absl::InvalidArgumentError("the prompt is given as tokens and as text; wanted one of them");
  }
  if (request.session_id.empty() && request.prompt.empty() && request.prompt_text.empty()) {
    return absl::InvalidArgumentError(request.initial_state
                                          ? "initial_state is given, but no prompt; wanted what the tokens follow"
                                          : "there is neither a session nor a prompt; wanted one to go on from");
  }
  if (request.initial_state && !request.session_id.empty()) {
    return absl::InvalidArgumentError(
        "session_id and initial_state are given; tokens follow one of them, and CreateSession makes a session of the "
        "second");
  }
  if (request.session_id.empty() && request.move_session) {
    return absl::InvalidArgumentError("move_session is set, but session_id is empty");
  }
  if (!request.move_session && request.position.has_value()) {
    return Invalid("position is ", *request.position, ", but move_session is not set: the session stays as it is");
  }
  if (const size_t stops = request.stop_tokens.size() + request.stop_texts.size(); stops > kMaxStopTokens) {
    return Invalid("there are ", stops, " stop tokens; wanted at most ", kMaxStopTokens);
  }
  if (request.tokens_per_message < 1 || request.tokens_per_message > kMaxTokensPerMessage) {
    return Invalid("tokens_per_message is ", request.tokens_per_message, "; wanted 1 to ", kMaxTokensPerMessage);
  }
  if (request.initial_state) {
    if (absl::Status status = CheckInitialState(*request.initial_state); !status.ok()) return status;
  }
  if (absl::Status status = CheckSampling(request.sampling); !status.ok()) return status;
  return CheckBeams(request);
}

absl::StatusOr<RequestTokens> TokensFor(const Model& model, const GenerateView& request, const ServeLimits& limits) {
  if (absl::Status status = CheckGenerates(model); !status.ok()) return status;
  const size_t most = limits.max_timesteps - static_cast<size_t>(request.max_tokens);
  if (request.prompt.size() > most) {
    return Invalid("the prompt has ", request.prompt.size(), " tokens and max_tokens is ", request.max_tokens,
                   "; together at most ", limits.max_timesteps, " are taken");
  }
  const ModelSpec& spec = model.spec();
  if (absl::Status status = CheckTokens("prompt_tokens", request.prompt, spec); !status.ok()) return status;
  if (absl::Status status = CheckTokens("stop_tokens", request.stop_tokens, spec); !status.ok()) return status;
  if (const size_t bytes = ReplyBytesOf(request, spec); request.num_beams > 1 && bytes > limits.max_message_bytes) {
    return Invalid("num_beams is ", request.num_beams, " and max_tokens is ", request.max_tokens,
                   ": the reply may have ", bytes, " bytes, at most ", limits.max_message_bytes);
  }
  RequestTokens wanted{{request.prompt.begin(), request.prompt.end()},
                       {request.stop_tokens.begin(), request.stop_tokens.end()}};
  if (absl::Status status = ReadTexts(request, model, most, &wanted); !status.ok()) return status;
  return wanted;
}

size_t ReplyBytesOf(const GenerateView& request, const ModelSpec& spec) {
  constexpr size_t kBytesOfToken = 5;  // the longest number of 32 bits on the wire
  constexpr size_t kBytesOfRest = 64;  // a sequence's, and the message's
  const size_t token_bytes = kBytesOfToken + (spec.vocabulary == nullptr ? 0 : spec.vocabulary->max_text_bytes());
  const auto tokens = static_cast<size_t>(request.max_tokens);
  const size_t beams = static_cast<size_t>(request.num_beams) * (tokens * token_bytes + kBytesOfRest);
  return beams + std::min(tokens, static_cast<size_t>(kMaxTokensPerMessage)) * token_bytes + kBytesOfRest;
}

}  // namespace rondo
