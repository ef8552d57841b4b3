#include "client/session.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/invalid.h"
#include "client/client.h"
#include "client/connection.h"
#include "client/wire.h"

namespace rondo {

Session::Session(std::shared_ptr<ClientConnection> connection, std::string model, int64_t wanted_version,
                 int64_t version, std::string id, int64_t position)
    : connection_(std::move(connection)),
      model_(std::move(model)),
      wanted_version_(wanted_version),
      version_(version),
      id_(std::move(id)),
      position_(position),
      unsaved_(connection_->options().max_unsaved_bytes) {}

absl::StatusOr<std::vector<float>> Session::Step(absl::Span<const float> input, std::optional<int64_t> time) {
  if (!time.has_value()) return Run(input);
  return Run(input, {&*time, 1});
}

absl::StatusOr<std::vector<float>> Session::Run(absl::Span<const float> inputs, absl::Span<const int64_t> times) {
  const SequenceInput sequence = NextSequence(inputs, times);
  const absl::Time deadline = connection_->NewDeadline();
  while (true) {
    absl::StatusOr<SequenceOutput> output = Send(sequence, /*last_only=*/false, deadline);
    if (output.ok()) {
      Took(sequence, *output);
      return std::move(output->values);
    }
    if (absl::Status status = CatchUp(output.status(), deadline); !status.ok()) return status;
  }
}

SequenceInput Session::NextSequence(absl::Span<const float> inputs, absl::Span<const int64_t> times) const {
  SequenceInput sequence;
  sequence.session_id = id_;
  sequence.position = position_;
  sequence.must_exist = must_exist_;
  sequence.values.assign(inputs.begin(), inputs.end());
  sequence.times.assign(times.begin(), times.end());
  return sequence;
}

absl::StatusOr<SequenceOutput> Session::Send(const SequenceInput& sequence, bool last_only, absl::Time deadline) {
  PredictOptions options;
  // At position 0 the server may have to make the session anew, and then with the version that it had.
  options.version = sequence.position == 0 ? version_ : wanted_version_;
  options.last_only = last_only;
  v1::PredictRequest request;
  FillPredictRequest(model_, {&sequence, 1}, options, &request);
  const absl::StatusOr<v1::PredictResponse> response =
      connection_->Call(&v1::Inference::Stub::Predict, request, Repeat::kUntilDeadline, deadline);
  if (!response.ok()) return response.status();
  std::vector<SequenceOutput> outputs = ToSequenceOutputs(*response);
  if (outputs.size() != 1) return absl::InternalError("the server did not answer with one sequence");
  if (!outputs[0].status.ok()) return outputs[0].status;
  return std::move(outputs[0]);
}

void Session::Took(const SequenceInput& sequence, const SequenceOutput& output) {
  position_ = output.next_position;
  if (!output.durable_position.has_value()) return unsaved_.Clear();  // without a store the server loses it anyway
  unsaved_.Add(sequence, output.next_position);
  unsaved_.DropBefore(*output.durable_position);
}

bool Session::CanCatchUpFrom(std::optional<int64_t> expected) const {
  return expected.has_value() && *expected < position_ && unsaved_.Reaches(*expected);
}

absl::Status Session::CatchUp(const absl::Status& refusal, absl::Time deadline) {
  const std::optional<int64_t> expected = ExpectedPosition(refusal);
  return CanCatchUpFrom(expected) ? CatchUpFrom(*expected, deadline) : refusal;
}

absl::Status Session::CatchUpFrom(int64_t expected, absl::Time deadline) {
  while (expected < position_) {
    SequenceInput again = unsaved_.From(expected, UnsavedSteps::kMaxTimestepsAgain);
    again.session_id = id_;
    again.must_exist = must_exist_;
    const absl::StatusOr<SequenceOutput> output = Send(again, /*last_only=*/true, deadline);
    if (output.ok()) {
      expected = output->next_position;
      continue;
    }
    // The server may be lost once more.
    const std::optional<int64_t> now_expected = ExpectedPosition(output.status());
    if (!CanCatchUpFrom(now_expected) || *now_expected == expected) return output.status();
    expected = *now_expected;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<float>> Session::Forecast(int horizon, absl::Span<const float> known_inputs,
                                                     absl::Span<const int64_t> known_times) {
  ForecastInput input;
  input.horizon = horizon;
  input.known_inputs.assign(known_inputs.begin(), known_inputs.end());
  input.known_times.assign(known_times.begin(), known_times.end());
  return Forecast(std::move(input));
}

absl::StatusOr<std::vector<float>> Session::Forecast(ForecastInput input) {
  input.version = wanted_version_;
  input.session_id = id_;
  const absl::Time deadline = connection_->NewDeadline();
  while (true) {
    absl::StatusOr<v1::ForecastResponse> response = connection_->Call(
        &v1::Inference::Stub::Forecast, ToForecastRequest(model_, input), Repeat::kUntilDeadline, deadline);
    absl::Status status = response.status();
    if (response.ok()) {
      // A forecast has no position to be refused for: a server that lost some of the session starts from too early.
      if (!CanCatchUpFrom(response->position())) {
        return std::vector<float>(response->values().begin(), response->values().end());
      }
      status = CatchUpFrom(response->position(), deadline);
    } else {
      status = CatchUp(status, deadline);
    }
    if (!status.ok()) return status;
  }
}

absl::StatusOr<Session> Session::Fork(absl::string_view id) const {
  absl::StatusOr<SessionDescription> forked = Client(connection_).ForkSession(id_, id);
  if (!forked.ok()) return forked.status();
  Session copy(connection_, model_, wanted_version_, forked->version, std::move(forked->session_id), forked->position);
  copy.must_exist_ = must_exist_;
  return copy;
}

absl::Status Session::Sync() {
  const absl::StatusOr<SessionDescription> found = Client(connection_).GetSession(id_);
  if (!found.ok()) return found.status();
  if (found->position != position_) unsaved_.Clear();
  position_ = found->position;
  return absl::OkStatus();
}

absl::Status Session::CheckStepMany(absl::Span<Session* const> sessions, absl::Span<const float> inputs,
                                    absl::Span<const int64_t> times) {
  if (sessions.empty()) return absl::InvalidArgumentError("StepMany was given no sessions; wanted one or more");
  if (inputs.empty() || inputs.size() % sessions.size() != 0 || (!times.empty() && times.size() != sessions.size())) {
    return Invalid(inputs.size(), " floats and ", times.size(), " times for ", sessions.size(),
                   " sessions; wanted as many for each session, and one time or none");
  }
  std::set<absl::string_view> ids;
  for (const Session* session : sessions) {
    if (session->model_ != sessions[0]->model_ || session->wanted_version_ != sessions[0]->wanted_version_) {
      return Invalid("session '", session->id_,
                     "' was not opened with the model and version of the first one; "
                     "one message is for one model");
    }
    if (!ids.insert(session->id_).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("session '", session->id_, "' is given twice; each takes one step"));
    }
  }
  return absl::OkStatus();
}

SequenceOutput Session::Settle(const SequenceInput& sequence, SequenceOutput output) {
  if (output.status.ok()) {
    Took(sequence, output);
    return output;
  }
  const bool tells_position = absl::IsFailedPrecondition(output.status) || output.durable_position.has_value();
  const bool moved = absl::IsAborted(output.status) || absl::IsUnavailable(output.status);
  if (!moved && !(tells_position && CanCatchUpFrom(output.next_position))) return output;
  absl::StatusOr<std::vector<float>> values = Run(sequence.values, sequence.times);
  return {values.status(), position_, values.ok() ? *std::move(values) : std::vector<float>(), absl::ZeroDuration(),
          std::nullopt};
}

absl::StatusOr<std::vector<SequenceOutput>> Session::StepMany(ClientConnection* connection,
                                                              absl::Span<Session* const> sessions,
                                                              absl::Span<const float> inputs,
                                                              absl::Span<const int64_t> times) {
  if (absl::Status status = CheckStepMany(sessions, inputs, times); !status.ok()) return status;
  const size_t width = inputs.size() / sessions.size();
  std::vector<SequenceInput> sequences;
  for (size_t i = 0; i < sessions.size(); ++i) {
    sequences.push_back(
        sessions[i]->NextSequence(inputs.subspan(i * width, width), times.empty() ? times : times.subspan(i, 1)));
  }
  PredictOptions options;
  options.version = sessions[0]->wanted_version_;
  v1::PredictRequest request;
  FillPredictRequest(sessions[0]->model_, sequences, options, &request);
  absl::StatusOr<std::vector<SequenceOutput>> outputs =
      connection->Ask(&v1::Inference::Stub::Predict, request, Repeat::kUntilDeadline, ToSequenceOutputs);
  if (sessions.size() == 1 && !outputs.ok()) {  // then the sequence's failure is the call's
    SequenceOutput failed;
    failed.status = outputs.status();
    failed.next_position = ExpectedPosition(outputs.status()).value_or(sessions[0]->position_);
    failed.durable_position = ExpectedPosition(outputs.status());
    outputs = std::vector<SequenceOutput>{std::move(failed)};
  }
  if (!outputs.ok()) return outputs.status();
  if (outputs->size() != sessions.size()) {
    return absl::InternalError(
        absl::StrCat("the server answered ", outputs->size(), " sequences; it was sent ", sessions.size()));
  }
  for (size_t i = 0; i < sessions.size(); ++i)
    (*outputs)[i] = sessions[i]->Settle(sequences[i], std::move((*outputs)[i]));
  return outputs;
}

absl::StatusOr<ExportedSession> Session::Export() const { return Client(connection_).ExportSession(id_); }

absl::Status Session::End() { return Client(connection_).DeleteSession(id_); }

}  // namespace rondo
