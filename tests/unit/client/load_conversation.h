#ifndef RONDO_TESTS_UNIT_CLIENT_LOAD_CONVERSATION_H_
#define RONDO_TESTS_UNIT_CLIENT_LOAD_CONVERSATION_H_

#include <cstdint>
#include <memory>

#include "client/load/exchange.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {

constexpr uint64_t kRun = 0xfedcba9876543210;

inline MessageShape Shape(Protocol protocol, int sessions, int timesteps) {
  MessageShape shape;
  shape.protocol = protocol;
  shape.model.set_name("m");
  shape.model.set_version(3);
  shape.model.set_input_size(2);
  shape.model.set_output_size(1);
  shape.sessions_per_message = sessions;
  shape.timesteps = timesteps;
  return shape;
}

// A conversation in which Request and Reply are the protocol's own messages.
template <typename Request, typename Reply>
class Conversation {
 public:
  explicit Conversation(const MessageShape& shape) : exchange_(MakeExchange(shape, kRun, 5, 0)) {}

  Request Next(size_t in_flight = 0) { return Copy(exchange_->Next(in_flight)); }
  // An empty request: there is no last one.
  Request Last() {
    const auto* const last = exchange_->Last();
    return last != nullptr ? Copy(*last) : Request();
  }
  Verdict Answer(const Reply& reply) {
    static_cast<Reply&>(*exchange_->reply()) = reply;
    return exchange_->OnReply();
  }
  Exchange& exchange() { return *exchange_; }

 private:
  static Request Copy(const google::protobuf::MessageLite& request) { return static_cast<const Request&>(request); }

  std::unique_ptr<Exchange> exchange_;
};

using NativeConversation = Conversation<v1::PredictRequest, v1::PredictResponse>;

inline MessageShape NativeShape(int sessions, int timesteps) { return Shape(Protocol::kNative, sessions, timesteps); }

// What a right server answers.
inline v1::PredictResponse ReplyTo(const v1::PredictRequest& request, int timesteps) {
  v1::PredictResponse reply;
  for (const v1::Sequence& sequence : request.sequences()) {
    v1::SequenceResult* const result = reply.add_results();
    if (!sequence.session_id().empty()) result->set_next_position(sequence.position() + timesteps);
    for (int i = 0; i < timesteps; ++i) result->add_values(0.5f);
  }
  return reply;
}

}  // namespace rondo::load

#endif  // RONDO_TESTS_UNIT_CLIENT_LOAD_CONVERSATION_H_
