#include "client/session.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
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
  SequenceInput sequence;
  sequence.session_id = id_;
  sequence.position = position_;
  sequence.values.assign(inputs.begin(), inputs.end());
  sequence.times.assign(times.begin(), times.end());
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
  return Session(connection_, model_, wanted_version_, forked->version, std::move(forked->session_id),
                 forked->position);
}

absl::Status Session::Sync() {
  const absl::StatusOr<SessionDescription> found = Client(connection_).GetSession(id_);
  if (!found.ok()) return found.status();
  if (found->position != position_) unsaved_.Clear();
  position_ = found->position;
  return absl::OkStatus();
}

absl::Status Session::End() { return Client(connection_).DeleteSession(id_); }

}  // namespace rondo
