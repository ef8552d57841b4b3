#include "client/load/echo_server/echo_service.h"

namespace rondo::load {
namespace {

class EchoStream final : public grpc::ServerBidiReactor<v1::PredictRequest, v1::PredictResponse> {
 public:
  explicit EchoStream(const EchoService* service) : service_(service) { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status::OK);
      return;
    }
    service_->Answer(request_, &reply_);
    StartWrite(&reply_);
  }

  void OnWriteDone(bool ok) override {
    if (ok) StartRead(&request_);
    if (!ok) Finish(grpc::Status::OK);
  }

  void OnDone() override { delete this; }

 private:
  const EchoService* const service_;
  v1::PredictRequest request_;
  v1::PredictResponse reply_;
};

}  // namespace

void EchoService::Answer(const v1::PredictRequest& request, v1::PredictResponse* reply) const {
  reply->Clear();
  for (const v1::Sequence& sequence : request.sequences()) {
    v1::SequenceResult* result = reply->add_results();
    const int64_t timesteps = sequence.values_size() / input_size_;
    if (!sequence.session_id().empty()) result->set_next_position(sequence.position() + timesteps);
    const float value = sequence.values_size() > 0 ? sequence.values(0) : 0;
    result->mutable_values()->Resize(static_cast<int>(timesteps * output_size_), value);
  }
}

grpc::ServerUnaryReactor* EchoService::Predict(grpc::CallbackServerContext* context, const v1::PredictRequest* request,
                                               v1::PredictResponse* reply) {
  Answer(*request, reply);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerBidiReactor<v1::PredictRequest, v1::PredictResponse>* EchoService::StreamPredict(
    grpc::CallbackServerContext*) {
  return new EchoStream(this);
}

}  // namespace rondo::load
