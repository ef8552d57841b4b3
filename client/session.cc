#include <utility>

#include "client/client.h"

namespace rondo {

Session::Session(Client client, std::string model, int64_t version, std::string id, int64_t position)
    : client_(std::move(client)),
      model_(std::move(model)),
      version_(version),
      id_(std::move(id)),
      position_(position) {}

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
  PredictOptions options;
  options.version = version_;
  absl::StatusOr<std::vector<SequenceOutput>> outputs = client_.PredictMany(model_, {&sequence, 1}, options);
  if (!outputs.ok()) return outputs.status();
  SequenceOutput& output = outputs->front();
  if (!output.status.ok()) return output.status;
  position_ = output.next_position;
  return std::move(output.values);
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
  input.version = version_;
  input.session_id = id_;
  absl::StatusOr<ForecastOutput> output = client_.Forecast(model_, input);
  if (!output.ok()) return output.status();
  return std::move(output->values);
}

absl::StatusOr<Session> Session::Fork(absl::string_view id) const {
  absl::StatusOr<SessionDescription> forked = client_.ForkSession(id_, id);
  if (!forked.ok()) return forked.status();
  return Session(client_, model_, forked->version, std::move(forked->session_id), forked->position);
}

absl::Status Session::Sync() {
  const absl::StatusOr<SessionDescription> found = client_.GetSession(id_);
  if (!found.ok()) return found.status();
  position_ = found->position;
  return absl::OkStatus();
}

absl::Status Session::Delete() { return client_.DeleteSession(id_); }

}  // namespace rondo
