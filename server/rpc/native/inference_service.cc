// Predict, StreamPredict, Forecast and Generate.
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/string_view.h"
#include "server/rpc/call/predict_call.h"
#include "server/rpc/call/stream_call.h"
#include "server/rpc/native/forecast_message.h"
#include "server/rpc/native/generate_call.h"
#include "server/rpc/native/predict_message.h"
#include "server/rpc/native/services.h"

namespace rondo {
namespace {

// What StreamCall needs to know of StreamPredict.
struct StreamPredictRpc {
  using Message = PredictMessage;
  using Request = v1::PredictRequest;
  using Response = v1::PredictResponse;
  static constexpr Method kMethod = Method::kStreamPredict;

  static bool ErrorsEndStream(const grpc::ServerContext&) { return false; }

  static StreamTerms TermsOf(const Message& first) {
    return {first.request().end_with_stream(), first.request().tell_ended()};
  }
  // `room`: why the stream may keep no session beside those that it has moved, or OK.
  static void Start(absl::Time now, absl::Time deadline, const MovedSessions& moved, const absl::Status& room,
                    Message* message) {
    message->Start(now, deadline,
                   room.ok() || !BringsMore(std::as_const(*message).request(), moved) ? absl::OkStatus() : room);
  }
  static bool BringsMore(const Request& request, const MovedSessions& moved) {
    return absl::c_any_of(request.sequences(), [&moved](const v1::Sequence& sequence) {
      return !sequence.session_id().empty() && !sequence.end_session() && !moved.PositionOf(sequence.session_id());
    });
  }
  // Adds to a message that tells which sessions have ended.
  static void TellEnded(absl::string_view id, absl::string_view reason, Response* response) {
    v1::EndedSession* const ended = response->add_ended();
    ended->set_session_id(std::string(id));
    ended->set_reason(std::string(reason));
  }

  // Notes in *moved what `message` did to its sessions.
  static void NoteMoved(const Message& message, MovedSessions* moved) {
    const Response& response = message.response();
    for (int i = 0; i < response.results_size(); ++i) {  // none of a refused message
      const v1::Sequence& sequence = message.request().sequences(i);
      const v1::SequenceResult& result = response.results(i);
      if (sequence.session_id().empty() || result.has_status()) continue;
      if (sequence.end_session()) {
        moved->Forget(sequence.session_id());
      } else {
        moved->Note(static_cast<size_t>(i), sequence.session_id(), result.next_position(),
                    message.serial(static_cast<size_t>(i)));
      }
    }
  }

  // Fills the last message of a stream whose server goes away. False: this protocol has none.
  static bool SayGoingAway(const MovedSessions& moved, Response* response) {
    v1::GoingAway* const going_away = response->mutable_going_away();
    moved.ForEach(MovedSessions::kMaxSessions, [going_away](absl::string_view id, int64_t position, uint64_t) {
      v1::SessionPosition* const session = going_away->add_sessions();
      session->set_session_id(std::string(id));
      session->set_position(position);
    });
    return true;
  }
};

}  // namespace

void ServeInference(const RpcContext* context, HeadersFirst<v1::Inference>* service) {
  ListenToMany<PredictCall<PredictMessage, Method::kPredict>>(context, MethodNamed(service, "Predict"));
  ListenToMany<StreamCall<StreamPredictRpc>>(context, MethodNamed(service, "StreamPredict"));
  ListenToMany<PredictCall<ForecastMessage, Method::kForecast>>(context, MethodNamed(service, "Forecast"));
  ListenToMany<GenerateCall>(context, MethodNamed(service, "Generate"));
}

}  // namespace rondo
