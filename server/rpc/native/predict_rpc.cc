#include "server/rpc/native/predict_rpc.h"

#include "absl/strings/string_view.h"

namespace rondo {

void StreamPredictRpc::NoteMoved(const Message& message, MovedSessions* moved) {
  const v1::PredictRequest& request = message.request();
  const v1::PredictResponse& response = message.response();
  for (int i = 0; i < response.results_size(); ++i) {  // none of a refused message
    const v1::Sequence& sequence = request.sequences(i);
    const v1::SequenceResult& result = response.results(i);
    if (sequence.session_id().empty() || result.has_status()) continue;
    if (sequence.end_session()) {
      moved->Forget(static_cast<size_t>(i), sequence.session_id());
    } else {
      moved->Note(static_cast<size_t>(i), sequence.session_id(), result.next_position());
    }
  }
}

bool StreamPredictRpc::SayGoingAway(const MovedSessions& moved, Response* response) {
  v1::GoingAway* const going_away = response->mutable_going_away();
  moved.ForEach([going_away](absl::string_view id, int64_t position) {
    v1::SessionPosition* const session = going_away->add_sessions();
    session->set_session_id(std::string(id));
    session->set_position(position);
  });
  return true;
}

}  // namespace rondo
