#include <memory>
#include <string>
#include <utility>

#include "client/client.h"
#include "client/connection.h"
#include "client/wire.h"

namespace rondo {

class PredictStream::Impl {
 public:
  Impl(std::shared_ptr<ClientConnection> connection, absl::string_view model, const PredictOptions& options)
      : connection_(std::move(connection)),
        model_(model),
        options_(options),
        stream_(connection_->inference().StreamPredict(&context_)) {}

  ~Impl() {
    if (finished_) return;
    context_.TryCancel();
    (void)Finish();
  }

  bool Write(absl::Span<const SequenceInput> sequences) {
    FillPredictRequest(model_, sequences, options_, &request_);
    return stream_->Write(request_);
  }

  bool Read(StreamReply* reply) {
    if (!stream_->Read(&response_)) return false;
    *reply = ToStreamReply(response_);
    return true;
  }

  void WritesDone() {
    if (!writes_done_) stream_->WritesDone();
    writes_done_ = true;
  }

  absl::Status Finish() {
    WritesDone();
    // gRPC hands the status over only once every reply is read.
    while (stream_->Read(&response_)) {
    }
    finished_ = true;
    return ToStatus(stream_->Finish());
  }

 private:
  const std::shared_ptr<ClientConnection> connection_;
  const std::string model_;
  const PredictOptions options_;
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> stream_;
  v1::PredictRequest request_;    // the writer's, used again to keep its memory
  v1::PredictResponse response_;  // the reader's
  bool writes_done_ = false;
  bool finished_ = false;
};

PredictStream::PredictStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PredictStream::PredictStream(PredictStream&&) noexcept = default;
PredictStream& PredictStream::operator=(PredictStream&&) noexcept = default;
PredictStream::~PredictStream() = default;

bool PredictStream::Write(absl::Span<const SequenceInput> sequences) { return impl_->Write(sequences); }
bool PredictStream::Read(StreamReply* reply) { return impl_->Read(reply); }
void PredictStream::WritesDone() { impl_->WritesDone(); }
absl::Status PredictStream::Finish() { return impl_->Finish(); }

PredictStream Client::OpenPredictStream(absl::string_view model, const PredictOptions& options) const {
  return PredictStream(std::make_unique<PredictStream::Impl>(connection_, model, options));
}

}  // namespace rondo
