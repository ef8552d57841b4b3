#include "server/rpc/native/generate_call.h"

#include <algorithm>
#include <string>

#include "absl/types/span.h"
#include "base/steady_time.h"
#include "server/rpc/native/session_transfer.h"

namespace rondo {
namespace {

absl::Span<const int32_t> TokensOf(const google::protobuf::RepeatedField<int32_t>& tokens) {
  return absl::MakeConstSpan(tokens.data(), static_cast<size_t>(tokens.size()));
}

}  // namespace

void GenerateCall::OnMessage() {
  Identify(/*unary=*/true, this);
  generation_.Start(View(), SteadyNow(), deadline());
}

GenerateView GenerateCall::View() {
  GenerateView view;
  view.model = request_.model();
  view.version = request_.version();
  view.session_id = request_.session_id();
  if (request_.has_position()) view.position = request_.position();
  view.prompt = TokensOf(request_.prompt_tokens());
  view.prompt_text = request_.prompt();
  view.move_session = request_.move_session();
  view.must_exist = request_.must_exist();
  view.max_tokens = request_.max_tokens();
  if (request_.has_temperature()) view.sampling.temperature = request_.temperature();
  view.sampling.top_k = request_.top_k();
  if (request_.top_p() != 0) view.sampling.top_p = request_.top_p();
  if (request_.repetition_penalty() != 0) view.sampling.repetition_penalty = request_.repetition_penalty();
  view.sampling.seed = request_.seed();
  view.stop_tokens = TokensOf(request_.stop_tokens());
  stop_texts_.assign(request_.stop_texts().begin(), request_.stop_texts().end());
  view.stop_texts = stop_texts_;
  if (request_.tokens_per_message() == 0) request_.set_tokens_per_message(1);
  view.tokens_per_message = request_.tokens_per_message();
  if (request_.has_initial_state()) view.initial_state = ViewOf(request_.initial_state(), &elements_);
  view.num_beams = request_.num_beams();
  view.length_penalty = request_.length_penalty();
  return view;
}

void GenerateCall::OnMessageDone() {
  done_ = true;
  Advance();
}

void GenerateCall::OnWritten(bool ok) {
  writing_ = false;
  if (!ok) generation_.Cancel();
  Advance();
}

void GenerateCall::Advance() {
  if (writing_ || finishing()) return;
  if (done_ && !generation_.status().ok()) return Finish(generation_.status());
  const size_t waiting = generation_.tokens().size() - written_;
  const auto most = static_cast<size_t>(kMaxTokensPerMessage);
  if (done_ && waiting <= most) return Finish(absl::OkStatus());
  if (waiting < static_cast<size_t>(request_.tokens_per_message())) return;
  FillResponse(std::min(waiting, most));
  writing_ = true;
  stream_.Write(response_, Begin(&written_event_));
}

void GenerateCall::FillResponse(size_t tokens) {
  const absl::Span<const int32_t> taken = generation_.tokens().subspan(written_, tokens);
  written_ += tokens;
  response_.Clear();
  response_.mutable_tokens()->Add(taken.begin(), taken.end());
  AppendTexts(taken, response_.mutable_text());
}

void GenerateCall::AppendTexts(absl::Span<const int32_t> tokens, std::string* text) const {
  const Vocabulary* const vocabulary = generation_.vocabulary();
  if (vocabulary == nullptr) return;
  for (const int32_t token : tokens) text->append(vocabulary->TextOf(static_cast<size_t>(token)));
}

void GenerateCall::AddBeam(const FoundSequence& found) {
  v1::Beam* const beam = response_.add_beams();
  beam->mutable_tokens()->Add(found.tokens.begin(), found.tokens.end());
  AppendTexts(found.tokens, beam->mutable_text());
  beam->set_log_probability(found.log_probability);
  beam->set_score(found.score);
  beam->set_stopped(found.stopped);
}

void GenerateCall::Finish(const absl::Status& status) {
  if (!status.ok()) return stream_.Finish(ToGrpcStatus(status, server_context()), BeginFinish());
  FillResponse(generation_.tokens().size() - written_);
  response_.set_finish(generation_.stopped() ? v1::GenerateResponse::STOP_TOKEN : v1::GenerateResponse::MAX_TOKENS);
  response_.set_next_position(generation_.next_position());
  for (const FoundSequence& found : generation_.beams()) AddBeam(found);
  if (generation_.durable_position()) response_.set_durable_position(*generation_.durable_position());
  stream_.WriteAndFinish(response_, grpc::WriteOptions(), grpc::Status::OK, BeginFinish());
}

}  // namespace rondo
