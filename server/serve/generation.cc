#include "server/serve/generation.h"

#include <algorithm>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/metrics/metrics.h"
#include "server/refusal/refusal.h"
#include "server/serve/check_generate.h"
#include "server/serve/or_out_of_memory.h"
#include "server/serve/position_refusals.h"
#include "server/serve/request_digest.h"

namespace rondo {
void Generation::Start(const GenerateView& request, absl::Time now, absl::Time deadline) {
  request_ = request;
  if (request_.sampling.seed == 0) request_.sampling.seed = std::random_device()();
  Subject subject{request.model, request.version, request.session_id};
  if (request.initial_state && !request.initial_state->session_id.empty()) {
    subject.session_id = request.initial_state->session_id;
    subject.of_any_model = true;
  }
  Begin(subject, now, deadline);
}

absl::Status Generation::CheckRequest() { return CheckGenerate(request_, context().limits); }

absl::Status Generation::FitTo(const Model& model) {
  if (&model == fitted_) return absl::OkStatus();
  absl::StatusOr<RequestTokens> tokens = TokensFor(model, request_, context().limits);
  if (!tokens.ok()) return tokens.status();
  wanted_ = *std::move(tokens);
  fitted_ = &model;
  return absl::OkStatus();
}

absl::Status Generation::Open() {
  const absl::Status fits = OrOutOfMemory([this] { return FitTo(*model()->model); });
  if (!fits.ok()) return fits;
  if (request_.initial_state) {
    return request_.initial_state->session_id.empty() ? RunFromState(SessionLease()) : AcquireSession();
  }
  return request_.session_id.empty() ? Run(SessionLease()) : AcquireOrCreate();
}

absl::Status Generation::RunFromState(SessionLease source) {
  const absl::Status made = OrOutOfMemory([&]() -> absl::Status {
    auto state = InitialStateOf(*request_.initial_state, &source, *context().registry, *model()->model);
    if (!state.ok()) return state.status();
    initial_state_ = *std::move(state);
    return absl::OkStatus();
  });
  if (source) source.Release(arrived());
  return made.ok() ? Run(SessionLease()) : made;
}

absl::Status Generation::AcquireOrCreate() {
  const bool begins = request_.move_session && request_.position == 0 && !request_.must_exist;
  const bool creates = begins && !wanted_.prompt.empty();
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
  if (request_.initial_state) return RunFromState(std::move(session));
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
  const bool searches = request_.num_beams > 1;
  if (absl::Status status = TakeWork(searches ? WorkOfSearch() : WorkOfPath()); !status.ok()) return status;
  if (searches) return Search(std::move(session));
  const absl::Status status = OrOutOfMemory([&] { return MakePath(std::move(session)); });
  if (!status.ok()) return status;
  const bool has_token_and_goes_on = !tokens().empty() && path_->timesteps() > 0;
  path_->TimeFirstStep(first_step_at());
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
    std::copy(initial_state_.begin(), initial_state_.end(), scratch.state());
    make(std::move(scratch), {});
    return absl::OkStatus();
  }
  std::copy_n(session.state(), model()->spec().state_size(), scratch.state());
  make(std::move(scratch), session.last_output());
  session.Release(arrived());
  return absl::OkStatus();
}

absl::Status Generation::Search(SessionLease session) {
  const absl::Status made = OrOutOfMemory([&] {
    SessionLease fresh = session ? SessionLease() : context().sessions->AcquireStateless(model());
    const float* const zero = session ? nullptr : fresh.state();
    const float* const state = session ? session.state() : initial_state_.empty() ? zero : initial_state_.data();
    const absl::Span<const float> given = session ? session.last_output() : absl::Span<const float>();
    search_ = std::make_unique<BeamSearch>(model(), context().sessions, state, wanted_.prompt, given, RulesOfBeams(),
                                           static_cast<TokenPath::Owner*>(this));
    return absl::OkStatus();
  });
  if (!made.ok()) return made;
  if (session) {
    next_position_ = session.position();
    session.Release(arrived());
  }
  return OrOutOfMemory([&] { return search_->Start(context().engine, owner()->flow(), deadline()); });
}

BeamRules Generation::RulesOfBeams() const {
  return {static_cast<size_t>(request_.num_beams), static_cast<size_t>(request_.max_tokens), request_.length_penalty,
          wanted_.stops};
}

Work Generation::WorkOfSearch() const {
  const auto beams = static_cast<size_t>(request_.num_beams);
  Work work;
  work.steps = wanted_.prompt.size() + beams * static_cast<size_t>(request_.max_tokens);
  work.bytes = BeamSearch::BytesOf(RulesOfBeams(), model()->spec(), wanted_.prompt.size()) +
               ReplyBytesOf(request_, model()->spec());
  return work;
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
  NoteComputed();
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
  if (search_ != nullptr) search_->Cancel();
}

void Generation::LetGo() {
  for (const FoundSequence& found : beams()) model()->metrics->requests.generated_tokens.Add(found.tokens.size());
  if (path_ == nullptr) return;
  model()->metrics->requests.generated_tokens.Add(tokens().size());
  if (*path_->lease()) path_->lease()->Release(arrived());
}

}  // namespace rondo
