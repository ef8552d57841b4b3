#include "client/wire.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo {
namespace {

absl::Duration TimeoutFromWire(double seconds) {
  return seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds);
}

double TimeoutToWire(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration() ? 0 : absl::ToDoubleSeconds(timeout);
}

std::vector<float> ToVector(const google::protobuf::RepeatedField<float>& values) {
  return {values.begin(), values.end()};
}

void FillSequence(const SequenceInput& input, v1::Sequence* sequence) {
  sequence->set_session_id(input.session_id);
  if (input.position.has_value()) sequence->set_position(*input.position);
  sequence->mutable_values()->Add(input.values.begin(), input.values.end());
  sequence->mutable_times()->Add(input.times.begin(), input.times.end());
  sequence->set_end_session(input.end_session);
  sequence->set_must_exist(input.must_exist);
}

void FillInitialState(const InitialState& input, v1::InitialState* state) {
  state->set_session_id(input.session_id);
  state->set_state(input.exported);
  for (const std::string& element : input.elements) state->add_elements(element);
}

Beam ToBeam(const v1::Beam& beam) {
  return {
      {beam.tokens().begin(), beam.tokens().end()}, beam.text(), beam.log_probability(), beam.score(), beam.stopped()};
}

SequenceOutput ToSequenceOutput(const v1::SequenceResult& result) {
  SequenceOutput output{ToStatus(result.status()), result.next_position(), ToVector(result.values()),
                        absl::Milliseconds(result.status().retry_after_ms()), std::nullopt};
  if (result.has_durable_position()) output.durable_position = result.durable_position();
  return output;
}

}  // namespace

// A sequence without position would run twice; one that ends its session would come too late the second time.
bool IsRepeatable(const SequenceInput& sequence) {
  return sequence.session_id.empty() || (sequence.position.has_value() && !sequence.end_session);
}

void FillPredictRequest(absl::string_view model, absl::Span<const SequenceInput> sequences,
                        const PredictOptions& options, v1::PredictRequest* request) {
  request->Clear();
  request->set_model(std::string(model));
  request->set_version(options.version);
  request->set_last_only(options.last_only);
  request->set_timeout_ms(absl::ToInt64Milliseconds(absl::Ceil(options.timeout, absl::Milliseconds(1))));
  request->set_end_with_stream(options.end_with_stream);
  request->set_tell_ended(options.tell_ended);
  for (const SequenceInput& sequence : sequences) FillSequence(sequence, request->add_sequences());
}

v1::ForecastRequest ToForecastRequest(absl::string_view model, const ForecastInput& input) {
  v1::ForecastRequest request;
  request.set_model(std::string(model));
  request.set_version(input.version);
  request.set_session_id(input.session_id);
  request.mutable_history()->Add(input.history.begin(), input.history.end());
  request.mutable_history_times()->Add(input.history_times.begin(), input.history_times.end());
  request.set_horizon(input.horizon);
  request.mutable_known_inputs()->Add(input.known_inputs.begin(), input.known_inputs.end());
  request.mutable_known_times()->Add(input.known_times.begin(), input.known_times.end());
  request.set_num_paths(input.num_paths);
  request.mutable_path_quantiles()->Add(input.path_quantiles.begin(), input.path_quantiles.end());
  request.set_seed(input.seed);
  return request;
}

v1::GenerateRequest ToGenerateRequest(absl::string_view model, const GenerateInput& input) {
  v1::GenerateRequest request;
  request.set_model(std::string(model));
  request.set_version(input.version);
  request.set_session_id(input.session_id);
  if (input.position.has_value()) request.set_position(*input.position);
  request.mutable_prompt_tokens()->Add(input.prompt_tokens.begin(), input.prompt_tokens.end());
  request.set_prompt(input.prompt);
  request.set_move_session(input.move_session);
  request.set_must_exist(input.must_exist);
  request.set_max_tokens(input.max_tokens);
  request.set_temperature(input.temperature);
  request.set_top_k(input.top_k);
  request.set_top_p(input.top_p);
  request.set_repetition_penalty(input.repetition_penalty);
  request.set_seed(input.seed);
  request.mutable_stop_tokens()->Add(input.stop_tokens.begin(), input.stop_tokens.end());
  for (const std::string& text : input.stop_texts) request.add_stop_texts(text);
  request.set_tokens_per_message(input.tokens_per_message);
  if (input.initial_state.has_value()) FillInitialState(*input.initial_state, request.mutable_initial_state());
  request.set_num_beams(input.num_beams);
  request.set_length_penalty(input.length_penalty);
  return request;
}

v1::CreateSessionRequest ToCreateSessionRequest(const CreateSessionInput& input) {
  v1::CreateSessionRequest request;
  request.set_model(input.model);
  request.set_version(input.version);
  request.set_session_id(input.session_id);
  if (input.idle_timeout.has_value()) request.set_idle_timeout_seconds(TimeoutToWire(*input.idle_timeout));
  if (input.initial_state.has_value()) FillInitialState(*input.initial_state, request.mutable_initial_state());
  return request;
}

absl::Status ToStatus(const v1::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.code()), status.message());
}

std::vector<SequenceOutput> ToSequenceOutputs(const v1::PredictResponse& response) {
  return Converted(response.results(), ToSequenceOutput);
}

ForecastOutput ToForecastOutput(const v1::ForecastResponse& response) {
  ForecastOutput output{ToVector(response.values()), response.position(), std::nullopt};
  if (response.has_last_time()) output.last_time = response.last_time();
  return output;
}

GeneratedPiece AddPiece(const v1::GenerateResponse& response, GenerateOutput* output) {
  GeneratedPiece piece{{response.tokens().begin(), response.tokens().end()}, response.text()};
  output->tokens.insert(output->tokens.end(), piece.tokens.begin(), piece.tokens.end());
  output->text += piece.text;
  output->stopped = response.finish() == v1::GenerateResponse::STOP_TOKEN;
  output->next_position = response.next_position();
  output->beams = Converted(response.beams(), ToBeam);
  if (response.has_durable_position()) output->durable_position = response.durable_position();
  return piece;
}

StreamReply ToStreamReply(const v1::PredictResponse& response) {
  StreamReply reply{ToStatus(response.status()),
                    ToSequenceOutputs(response),
                    absl::Milliseconds(response.status().retry_after_ms()),
                    {}};
  for (const v1::EndedSession& ended : response.ended()) reply.ended.push_back({ended.session_id(), ended.reason()});
  return reply;
}

TableDescription ToTableDescription(const v1::Table& table) {
  TableDescription description;
  if (!table.delimiter().empty()) description.delimiter = table.delimiter();
  if (!table.decimal().empty()) description.decimal = table.decimal();
  description.thousands = table.thousands();
  description.missing_values.assign(table.missing_values().begin(), table.missing_values().end());
  description.time = table.time();
  description.time_format = table.time_format();
  description.time_zone = table.time_zone();
  description.step = table.step();
  description.series = table.series();
  if (!table.missing().empty()) description.missing = table.missing();
  description.season = table.season();
  for (const v1::ColumnUnit& unit : table.units()) {
    description.units.push_back({unit.column(), unit.series(), unit.offset(), unit.scale()});
  }
  return description;
}

ModelDescription ToModelDescription(const v1::Model& model) {
  ModelDescription description;
  description.name = model.name();
  description.version = model.version();
  description.cell = model.cell();
  description.num_layers = model.num_layers();
  description.hidden_size = model.hidden_size();
  description.input_size = model.input_size();
  description.output_size = model.output_size();
  description.inputs.assign(model.inputs().begin(), model.inputs().end());
  description.input_sources = Converted(model.input_sources(), [](const v1::InputSource& source) {
    return InputSourceDescription{source.column(), source.category(), source.ahead()};
  });
  description.tokens = model.tokens();
  description.outputs.assign(model.outputs().begin(), model.outputs().end());
  description.horizon = model.horizon();
  description.head = model.head();
  description.quantiles.assign(model.quantiles().begin(), model.quantiles().end());
  description.needs_times = model.needs_times();
  description.feedback = Converted(model.feedback(), [](const v1::Feedback& link) {
    return FeedbackDescription{link.output(), link.input()};
  });
  description.step_seconds = model.step_seconds();
  description.table = ToTableDescription(model.table());
  description.kernel = model.kernel();
  description.weights = model.weights();
  description.deterministic = model.deterministic();
  description.state = model.state();
  description.reason = model.reason();
  for (const v1::Element& element : model.elements()) {
    description.elements.push_back({element.name(),
                                    element.type(),
                                    {element.of().begin(), element.of().end()},
                                    element.attributes(),
                                    element.channels(),
                                    element.length(),
                                    element.parameters(),
                                    element.state_size(),
                                    element.kernel()});
  }
  description.whole_sequence = model.whole_sequence();
  description.vocabulary.assign(model.vocabulary().begin(), model.vocabulary().end());
  return description;
}

SessionDescription ToSessionDescription(const v1::Session& session) {
  return {session.session_id(),
          session.model(),
          session.version(),
          session.position(),
          TimeoutFromWire(session.idle_timeout_seconds()),
          absl::Seconds(session.idle_seconds()),
          session.has_ends_in_seconds() ? absl::Seconds(session.ends_in_seconds()) : absl::InfiniteDuration()};
}

}  // namespace rondo
