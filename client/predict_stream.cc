#include "client/predict_stream.h"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/client.h"
#include "client/connection.h"
#include "client/retry.h"
#include "client/unanswered_messages.h"
#include "client/wire.h"

namespace rondo {
namespace {

// One gRPC stream. Its reader and its writer keep it alive.
struct Wire {
  explicit Wire(ClientConnection* connection)
      : route(connection->NextStreamRoute()),
        prepared(connection->Prepare(absl::InfiniteFuture(), &context)),
        stream(route->inference->StreamPredict(&context)) {
    if (!prepared.ok()) context.TryCancel();
  }

  const std::shared_ptr<const Route> route;
  grpc::ClientContext context;
  const absl::Status prepared;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::PredictRequest, v1::PredictResponse>> stream;
  bool ended = false;  // the reader's: it has the status
};

}  // namespace

// The stream keeps every message that was written and not answered. The writer sends the messages until the stream
// breaks. Then the reader, who is the one to notice, opens another stream and sends the unanswered messages one by one,
// each after the reply to the one before: sending more without reading could block for good. Once all are sent the
// writer sends again.
class PredictStream::Impl {
 public:
  Impl(std::shared_ptr<ClientConnection> connection, absl::string_view model, const PredictOptions& options)
      : connection_(std::move(connection)),
        model_(model),
        options_(options),
        wire_(std::make_shared<Wire>(connection_.get())) {}

  ~Impl() {
    {
      MutexLock lock(&mutex_);
      over_ = true;
      wire_->context.TryCancel();
      caught_up_.SignalAll();
    }
    if (ahead_.valid()) ahead_.wait();
    if (!wire_->ended) (void)EndWire();
  }

  bool Write(absl::Span<const SequenceInput> sequences) {
    auto message = std::make_shared<SentMessage>();
    FillPredictRequest(model_, sequences, options_, &message->request);
    message->repeatable = std::all_of(sequences.begin(), sequences.end(), IsRepeatable);
    std::shared_ptr<Wire> wire;
    {
      MutexLock lock(&mutex_);
      while (!MayWrite()) caught_up_.Wait(&mutex_);
      if (over_) return false;
      if (unanswered_.caught_up()) wire = wire_;
      unanswered_.Add(message);
    }
    return wire == nullptr || wire->stream->Write(message->request) || NoteBroken(wire);
  }

  bool Read(StreamReply* reply) { return ahead_.valid() ? TakeAhead(reply) : ReadNow(reply); }

  absl::StatusOr<bool> Read(StreamReply* reply, absl::Duration timeout) {
    // gRPC's read has no deadline: a thread waits in it, and what it reads is kept for whoever asks next.
    if (!ahead_.valid()) ahead_ = std::async(std::launch::async, [this] { return ReadNow(&ahead_reply_); });
    if (ahead_.wait_until(absl::ToChronoTime(absl::Now() + timeout)) != std::future_status::ready) {
      return absl::DeadlineExceededError(
          absl::StrCat("no reply came within ", absl::FormatDuration(timeout), "; the stream goes on"));
    }
    return TakeAhead(reply);
  }

  void DoneWriting() {
    std::shared_ptr<Wire> wire;
    {
      MutexLock lock(&mutex_);
      if (std::exchange(writes_done_, true) || over_ || !unanswered_.caught_up()) return;
      wire = wire_;
    }
    wire->stream->WritesDone();
  }

  absl::Status Finish() {
    DoneWriting();
    StreamReply dropped;
    while (Read(&dropped)) {
    }
    MutexLock lock(&mutex_);
    return end_;
  }

 private:
  // Tells whether a writer waits no longer: while another thread reads, that one catches up first.
  bool MayWrite() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return over_ || unanswered_.caught_up() || (!reading_ && unanswered_.size() < kMaxUnsentMessages);
  }

  bool IsResumable() {
    MutexLock lock(&mutex_);
    return connection_->options().max_attempts > 1 && !over_ && !(writes_done_ && unanswered_.empty()) &&
           unanswered_.repeatable();
  }

  // The writer's: from now on the reader sends. False: it will not.
  bool NoteBroken(const std::shared_ptr<Wire>& wire) {
    if (!IsResumable()) return false;
    MutexLock lock(&mutex_);
    if (wire == wire_) unanswered_.NoteBroken();
    return !over_;
  }

  bool ReadNow(StreamReply* reply) {
    SetReading(true);
    const bool found = ReadReply(reply);
    SetReading(false);
    return found;
  }

  bool TakeAhead(StreamReply* reply) {
    const bool found = ahead_.get();
    if (found) *reply = std::move(ahead_reply_);
    return found;
  }

  bool IsOver() {
    MutexLock lock(&mutex_);
    return over_;
  }

  void SetReading(bool reading) {
    MutexLock lock(&mutex_);
    reading_ = reading;
    caught_up_.SignalAll();
  }

  bool ReadReply(StreamReply* reply) {
    while (!IsOver()) {
      SendNext();
      if (wire_->stream->Read(&response_)) {
        if (response_.has_going_away()) continue;  // nothing follows it but the end
        if (ResumeRefused()) continue;
        if (response_.ended().empty()) TakeAnswered();
        *reply = ToStreamReply(response_);
        return true;
      }
      const absl::Status status = EndWire();
      if (WaitToResume(status.code(), Pushback(wire_->context))) {
        Reopen();
      } else {
        End(status);
      }
    }
    return false;
  }

  // A server that has come back answers before its models are loaded. Such a refusal is part of the outage: the stream
  // is opened again. The messages behind the refused one may be refused or not, so that all are sent again. A stream
  // whose end takes its sessions along goes on instead, and the refusal is the reply.
  bool ResumeRefused() {
    if (options_.end_with_stream) return false;
    const auto code = static_cast<absl::StatusCode>(response_.status().code());
    if (code != absl::StatusCode::kUnavailable) return false;
    const std::string advice = absl::StrCat(response_.status().retry_after_ms());
    if (!WaitToResume(code, advice == "0" ? std::nullopt : std::optional<absl::string_view>(advice))) return false;
    wire_->context.TryCancel();
    (void)EndWire();
    Reopen();
    return true;
  }

  // Sends the oldest message that the writer did not, if no reply is to come before that one's.
  void SendNext() {
    std::shared_ptr<const SentMessage> next;
    {
      MutexLock lock(&mutex_);
      next = unanswered_.NextToSend();
    }
    if (next == nullptr) return;
    wire_->stream->Write(next->request);  // if it fails, so does the read
    bool is_last = false;
    {
      MutexLock lock(&mutex_);
      unanswered_.NoteSent();
      is_last = writes_done_ && unanswered_.caught_up();
      caught_up_.SignalAll();
    }
    if (is_last) wire_->stream->WritesDone();
  }

  void TakeAnswered() {
    was_answered_ = true;
    outage_end_ = absl::InfiniteFuture();
    tries_ = 0;
    MutexLock lock(&mutex_);
    unanswered_.NoteAnswered();
  }

  absl::Status EndWire() {
    // gRPC hands the status over only once every reply is read.
    while (wire_->stream->Read(&response_)) {
    }
    wire_->ended = true;
    const absl::Status status = ToStatus(wire_->stream->Finish());
    return wire_->prepared.ok() ? status : wire_->prepared;
  }

  // True, after a wait: the stream is to be opened again, though nobody knows whether a server is at its end.
  bool WaitToResume(absl::StatusCode code, std::optional<absl::string_view> pushback) {
    if (!IsResumable()) return false;
    if (outage_end_ == absl::InfiniteFuture()) outage_end_ = connection_->NewDeadline();
    // A server that was never there is not waited for, by a stream no more than by a call.
    const Repeat repeat = was_answered_ ? Repeat::kUntilDeadline : Repeat::kSafe;
    return connection_->WaitToRetry(FailedTry{++tries_, code, repeat, pushback}, outage_end_);
  }

  void Reopen() {
    auto wire = std::make_shared<Wire>(connection_.get());  // which may wait for a look at DNS
    bool is_over = false;
    {
      MutexLock lock(&mutex_);
      wire_ = std::move(wire);
      unanswered_.BeginAnew();
      is_over = writes_done_ && unanswered_.empty();  // meanwhile: the writer told the old stream
      if (over_) wire_->context.TryCancel();          // meanwhile: nobody reads it
    }
    if (is_over) wire_->stream->WritesDone();
  }

  void End(const absl::Status& status) {
    MutexLock lock(&mutex_);
    // A server that goes when all is answered ends nothing that was not over.
    const bool all_answered = was_answered_ && writes_done_ && unanswered_.empty();
    end_ = all_answered && absl::IsUnavailable(status) ? absl::OkStatus() : status;
    over_ = true;
    caught_up_.SignalAll();
  }

  const std::shared_ptr<ClientConnection> connection_;
  const std::string model_;
  const PredictOptions options_;

  std::future<bool> ahead_;  // the reader that a timed read started and did not wait for; else not valid
  StreamReply ahead_reply_;  // that reader's
  // Used by the reader alone.
  v1::PredictResponse response_;  // used again to keep its memory
  absl::Time outage_end_ = absl::InfiniteFuture();
  int tries_ = 0;  // since the last answer
  bool was_answered_ = false;

  Mutex mutex_;
  CondVar caught_up_;           // or one of the other things that a writer waits for
  std::shared_ptr<Wire> wire_;  // guarded by mutex_, but the reader, who alone replaces it, reads it without the lock
  UnansweredMessages unanswered_ ABSL_GUARDED_BY(mutex_);  // sent on wire_, or still to be
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writes_done_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status end_ ABSL_GUARDED_BY(mutex_);
};

PredictStream::PredictStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PredictStream::PredictStream(PredictStream&&) noexcept = default;
PredictStream& PredictStream::operator=(PredictStream&&) noexcept = default;
PredictStream::~PredictStream() = default;

bool PredictStream::Write(absl::Span<const SequenceInput> sequences) { return impl_->Write(sequences); }
bool PredictStream::Read(StreamReply* reply) { return impl_->Read(reply); }
absl::StatusOr<bool> PredictStream::Read(StreamReply* reply, absl::Duration timeout) {
  return impl_->Read(reply, timeout);
}
void PredictStream::DoneWriting() { impl_->DoneWriting(); }
absl::Status PredictStream::Finish() { return impl_->Finish(); }

PredictStream Client::OpenStream(absl::string_view model, const PredictOptions& options) const {
  return PredictStream(std::make_unique<PredictStream::Impl>(connection_, model, options));
}

}  // namespace rondo
