#include "client/load/native_exchange.h"

#include <random>

#include "client/load/native_reply.h"
#include "client/load/sample_sequence.h"

namespace rondo::load {

NativeExchange::NativeExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed)
    : shape_(shape), positions_(static_cast<size_t>(shape.sessions_per_message), 0) {
  std::mt19937_64 random(seed);
  request_.set_model(shape.model.name());
  request_.set_version(shape.model.version());
  for (int i = 0; i < shape.sessions_per_message; ++i) {
    v1::Sequence* const sequence = request_.add_sequences();
    if (!shape.stateless) sequence->set_session_id(SessionIdOf(run, lane, i));
    FillSequence(shape, &random, sequence);
  }
}

const google::protobuf::MessageLite& NativeExchange::Next(size_t in_flight) {
  if (shape_.stateless) return request_;
  sent_any_ = true;
  const int64_t ahead = static_cast<int64_t>(in_flight) * shape_.timesteps;
  for (size_t i = 0; i < positions_.size(); ++i) {
    request_.mutable_sequences(static_cast<int>(i))->set_position(positions_[i] + ahead);
  }
  return request_;
}

Verdict NativeExchange::OnReply() { return JudgeNativeReply(shape_, reply_, absl::MakeSpan(positions_)); }

std::vector<std::string> NativeExchange::SessionIds() const {
  std::vector<std::string> ids;
  if (!sent_any_) return ids;
  for (const v1::Sequence& sequence : request_.sequences()) ids.push_back(sequence.session_id());
  return ids;
}

}  // namespace rondo::load
