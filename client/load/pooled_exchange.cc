#include "client/load/pooled_exchange.h"

#include <utility>

#include "client/load/native_reply.h"
#include "client/load/sample_sequence.h"

namespace rondo::load {

PooledExchange::PooledExchange(const MessageShape& shape, uint64_t run, int lane, uint64_t seed)
    : shape_(shape),
      run_(run),
      lane_(lane),
      random_(seed),
      positions_(static_cast<size_t>(shape.lane_sessions), 0),
      in_flight_(positions_.size(), false) {
  request_.set_model(shape.model.name());
  request_.set_version(shape.model.version());
  for (int i = 0; i < shape.sessions_per_message; ++i) FillSequence(shape, &random_, request_.add_sequences());
}

const google::protobuf::MessageLite& PooledExchange::Next(size_t) {
  std::vector<Index>& sessions = unanswered_.emplace_back();
  for (v1::Sequence& sequence : *request_.mutable_sequences()) {
    const Index session = Take();
    sessions.push_back(session);
    sequence.set_session_id(SessionIdOf(run_, lane_, static_cast<int>(session)));
    sequence.set_position(positions_[session]);
  }
  return request_;
}

PooledExchange::Index PooledExchange::Take() {
  Index session = sent_once_;
  if (creating()) {
    ++sent_once_;
  } else {
    std::uniform_int_distribution<Index> any(0, positions_.size() - 1);
    do {
      session = any(random_);
    } while (in_flight_[session]);
  }
  in_flight_[session] = true;
  return session;
}

std::vector<PooledExchange::Index> PooledExchange::TakeOldest() {
  std::vector<Index> sessions = std::move(unanswered_.front());
  unanswered_.pop_front();
  for (const Index session : sessions) in_flight_[session] = false;
  return sessions;
}

Verdict PooledExchange::OnReply() {
  const std::vector<Index> sessions = TakeOldest();
  std::vector<int64_t> positions;
  positions.reserve(sessions.size());
  for (const Index session : sessions) positions.push_back(positions_[session]);
  Verdict verdict = JudgeNativeReply(shape_, reply_, absl::MakeSpan(positions));
  for (size_t i = 0; i < sessions.size(); ++i) positions_[sessions[i]] = positions[i];
  return verdict;
}

std::vector<std::string> PooledExchange::SessionIds() const {
  std::vector<std::string> ids;
  for (size_t i = 0; i < sent_once_; ++i) ids.push_back(SessionIdOf(run_, lane_, static_cast<int>(i)));
  return ids;
}

}  // namespace rondo::load
