#include "server/serve/generation.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_sequence.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/position_refusals.h"
#include "server/serve/request_digest.h"

namespace rondo {
namespace {

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

}  // namespace

void Generation::Start(const GenerateView& request, absl::Time now, absl::Time deadline) {
  request_ = request;
  if (request_.sampling.seed == 0) request_.sampling.seed = std::random_device()();
  Begin({request.model, request.version, request.session_id}, now, deadline);
}

absl::Status Generation::CheckRequest() {
  const size_t most = context().limits.max_timesteps;
  if (request_.max_tokens < 1 || request_.max_tokens > static_cast<int64_t>(most)) {
    return Invalid("max_tokens is ", request_.max_tokens, "; wanted 1 to ", most);
  }
  if (!request_.prompt.empty() && !request_.prompt_text.empty()) {
    return absl::InvalidArgumentError("the prompt is given as tokens and as text; wanted one of them");
  }
  if (request_.session_id.empty() && request_.prompt.empty() && request_.prompt_text.empty()) {
    return absl::InvalidArgumentError("there is neither a session nor a prompt; wanted one to go on from");
  }
  if (request_.session_id.empty() && request_.move_session) {
    return absl::InvalidArgumentError("move_session is set, but session_id is empty");
  }
  if (!request_.move_session && request_.position.has_value()) {
    return Invalid("position is ", *request_.position, ", but move_session is not set: the session stays as it is");
  }
  if (const size_t stops = request_.stop_tokens.size() + request_.stop_texts.size(); stops > kMaxStopTokens) {
    return Invalid("there are ", stops, " stop tokens; wanted at most ", kMaxStopTokens);
  }
  if (request_.tokens_per_message < 1 || request_.tokens_per_message > kMaxTokensPerMessage) {
    return Invalid("tokens_per_message is ", request_.tokens_per_message, "; wanted 1 to ", kMaxTokensPerMessage);
  }
  return CheckSampling(request_.sampling);
}

absl::Status Generation::FitTo(const Model& model) {
  if (&model == fitted_) return absl::OkStatus();
  if (absl::Status status = CheckGenerates(model); !status.ok()) return status;
  const size_t most = context().limits.max_timesteps - static_cast<size_t>(request_.max_tokens);
  if (request_.prompt.size() > most) {
    return Invalid("the prompt has ", request_.prompt.size(), " tokens and max_tokens is ", request_.max_tokens,
                   "; together at most ", context().limits.max_timesteps, " are taken");
  }
  const ModelSpec& spec = model.spec();
  if (absl::Status status = CheckTokens("prompt_tokens", request_.prompt, spec); !status.ok()) return status;
  if (absl::Status status = CheckTokens("stop_tokens", request_.stop_tokens, spec); !status.ok()) return status;
  wanted_.prompt.assign(request_.prompt.begin(), request_.prompt.end());
  wanted_.stops.assign(request_.stop_tokens.begin(), request_.stop_tokens.end());
  if (absl::Status status = ReadTexts(model, most); !status.ok()) return status;
  fitted_ = &model;
  return absl::OkStatus();
}

absl::Status Generation::ReadTexts(const Model& model, size_t most_tokens) {
  if (request_.prompt_text.empty() && request_.stop_texts.empty()) return absl::OkStatus();
  const Vocabulary* const vocabulary = model.spec().vocabulary.get();
  if (vocabulary == nullptr) {
    return Refuse(Why::kPosition,
                  absl::StrCat("model '", model.name, "' has no vocabulary in its file: prompt and stop ",
                               "tokens must be given as numbers"));
  }
  for (const absl::string_view text : request_.stop_texts) {
    const auto tokens = vocabulary->Encode(text, 1);
    if (!tokens.ok() || tokens->size() != 1) {
      return Invalid("the stop text '", absl::CHexEscape(text.substr(0, 64)), "' is not the text of one token");
    }
    wanted_.stops.push_back(tokens->front());
  }
  if (request_.prompt_text.empty()) return absl::OkStatus();
  auto tokens = vocabulary->Encode(request_.prompt_text, most_tokens);
  if (!tokens.ok()) return tokens.status();
  wanted_.prompt = *std::move(tokens);
  return absl::OkStatus();
}

absl::Status Generation::Open() {
  const absl::Status fits = OrOutOfMemory([this] { return FitTo(*model()->model); });
  if (!fits.ok()) return fits;
  return request_.session_id.empty() ? Run(SessionLease()) : AcquireOrCreate();
}

absl::Status Generation::AcquireOrCreate() {
  const bool creates = request_.move_session && request_.position == 0 && !wanted_.prompt.empty();
  if (!creates) return AcquireSession(nullptr, Order());
  const absl::Status room = context().memory->Take(BytesOfSession(static_cast<size_t>(model()->spec().state_size())));
  if (!room.ok()) return room;
  return AcquireSession(&model(), Order());
}

RequestOrder Generation::Order() const {
  RequestOrder order;
  if (!request_.move_session) return order;
  order = owner()->order();
  order.by_arrival = !request_.position;
  return order;
}

absl::Status Generation::StartFrom(SessionLease session) {
  const absl::Status fits = OrOutOfMemory([this] { return FitTo(*model()->model); });
  if (!fits.ok()) return fits;
  if (request_.move_session) {
    if (const absl::Status status = CheckPosition(session); !status.ok()) {
      return LooksAgain(&session) ? AcquireSession(nullptr, Order()) : status;
    }
  }
  if (wanted_.prompt.empty() && session.position() == 0) {
    return Refuse(Why::kPosition, absl::StrCat("session '", request_.session_id,
                                               "' has no timestep yet: to generate there has to be a prompt"));
  }
  return Run(std::move(session));
}

absl::Status Generation::CheckPosition(const SessionLease& session) const {
  if (!request_.position && session.went_back()) return WentBack(request_.session_id, session);
  if (!request_.position || *request_.position == session.position()) return absl::OkStatus();
  return WrongPosition(request_.session_id, session, *request_.position);
}

bool Generation::LooksAgain(SessionLease* session) {
  const bool ahead = request_.position.value_or(0) > session->position();
  if (!ahead || !context().sessions->has_store() || std::exchange(looked_again_, true)) return false;
  return session->Discard();
}

absl::Status Generation::Run(SessionLease session) {
  if (absl::Status status = TakeWork(WorkOfPath()); !status.ok()) return status;
  const absl::Status status = OrOutOfMemory([&] { return MakePath(std::move(session)); });
  if (!status.ok()) return status;
  const bool has_token_and_goes_on = !tokens().empty() && path_->timesteps() > 0;
  const absl::Status started =
      OrOutOfMemory([&] { return path_->Start(context().engine, owner()->flow(), arrived(), deadline()); });
  if (started.ok() && has_token_and_goes_on) hearer_->OnTokens();
  return started;
}

absl::Status Generation::MakePath(SessionLease session) {
  const int64_t position = session ? session.position() : 0;
  next_position_ = position;
  const auto make = [&](SessionLease lease, absl::Span<const float> given) {
    path_ = std::make_unique<TokenPath>(std::move(lease), &wanted_, given, position, request_,
                                        static_cast<TokenPath::Owner*>(this));
  };
  if (request_.move_session) {
    const absl::Span<const float> given = session.last_output();
    make(std::move(session), given);
    return absl::OkStatus();
  }
  SessionLease scratch = context().sessions->AcquireStateless(model());
  if (!session) {
    make(std::move(scratch), {});
    return absl::OkStatus();
  }
  std::copy_n(session.state(), model()->spec().state_size(), scratch.state());
  make(std::move(scratch), session.last_output());
  session.Release(arrived());
  return absl::OkStatus();
}

Work Generation::WorkOfPath() const {
  const ModelSpec& spec = model()->spec();
  const auto tokens = static_cast<size_t>(spec.tokens);
  const auto generated = static_cast<size_t>(request_.max_tokens);
  const size_t text_bytes = spec.vocabulary == nullptr ? 0 : spec.vocabulary->max_text_bytes();
  Work work;
  work.steps = wanted_.prompt.size() + generated;
  work.bytes = sizeof(TokenPath) + TokenSampler::BytesOf(tokens) +
               (tokens + 2 * static_cast<size_t>(spec.state_size()) + wanted_.prompt.size()) * sizeof(float) +
               generated * (2 * sizeof(int32_t) + sizeof(float) + text_bytes);  // here, in the reply, for the commit
  return work;
}

void Generation::OnPathDone(const absl::Status& status) {
  if (!status.ok() || !request_.move_session) return Finish(status);
  Commit();
}

void Generation::Commit() {
  const absl::Status made = OrOutOfMemory([this] {
    committed_values_.assign(wanted_.prompt.begin(), wanted_.prompt.end());
    committed_values_.insert(committed_values_.end(), tokens().begin(), tokens().end());
    return absl::OkStatus();
  });
  if (!made.ok()) return Finish(made);
  SessionLease* const session = path_->lease();
  // The session stands as after a Predict of all these tokens with last_only, which may repeat it.
  committed_.timesteps = static_cast<int64_t>(committed_values_.size());
  committed_.fingerprint = RequestDigest(committed_values_, {}, /*last_only=*/true);
  committed_.reply = path_->output();
  next_position_ = session->position() + committed_.timesteps;
  if (context().sessions->has_store()) durable_position_ = session->durable_position().value_or(0);
  const std::optional<absl::Status> status = wait()->Commit(session, committed_, arrived());
  if (status) EndCommit(*status);
}

void Generation::EndCommit(const absl::Status& status) {
  if (status.ok() && context().sessions->durable_replies()) durable_position_ = next_position_;
  Finish(status);
}

void Generation::CancelPaths() {
  if (path_ != nullptr) path_->Cancel();
}

void Generation::LetGo() {
  if (path_ == nullptr) return;
  model()->metrics->requests.generated_tokens.Add(tokens().size());
  if (*path_->lease()) path_->lease()->Release(arrived());
}

}  // namespace rondo
