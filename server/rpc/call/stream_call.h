#ifndef RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
#define RONDO_SERVER_RPC_CALL_STREAM_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/support/async_stream.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "base/steady_time.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/read_pace.h"
#include "server/rpc/call/rpc_call.h"
#include "server/rpc/call/status.h"
#include "server/rpc/call/stream_policy.h"
#include "server/serve/end_news.h"
#include "server/serve/message_owner.h"
#include "server/serve/moved_sessions.h"
#include "server/serve/record_refusal.h"
#include "server/serve/stream_sessions_end.h"
#include "server/session/session_errors.h"
#include "server/session/session_id.h"

namespace rondo {

// What a stream's client wants of it, for all of its messages.
struct StreamTerms {
  bool end_sessions = false;  // the sessions that it moves end with it
  bool tell_ends = false;     // it is told which of them have ended
};

// One stream of messages, which are read ahead, run as they come, and are answered in order. `Rpc` is StreamPredictRpc
// or ModelStreamInferRpc.
template <typename Rpc>
class StreamCall : public RpcCall, private MessageOwner, private EndWatch::Stream {
 public:
  using Message = typename Rpc::Message;

  StreamCall(const RpcContext* context, const ServedMethod& method)
      : RpcCall(context, method),
        policy_(context->stream_limits.max_pipelined_messages, [this](const Message& dropped) {
          if (ends_sessions_) Rpc::NoteMoved(dropped, &moved_);
        }) {
    Await(&stream_);
  }
  ~StreamCall() override {
    if (counted_) context()->metrics->streams.Add(-1);
    if (in_quota_) quota()->GiveBackStream();
    while (StopWatchingSome()) {
    }
  }

  void Drain() override {
    resting_ = false;
    ReadNext();  // the last one: it tells when the client ends its side
    policy_.Drain(ShuttingDown());
    Advance();
  }
  void Leave() override {
    policy_.Leave();
    Advance();
  }

 private:
  using Step = typename StreamPolicy<Message>::Step;
  static constexpr size_t kStreamBytes = 32 << 10;  // here and in gRPC, about

  void ListenAgain() override { Listen<StreamCall>(context(), method()); }
  void OnAdmitted() override {
    Identify(/*unary=*/false, this);
    if (Rpc::ErrorsEndStream(*server_context())) policy_.EndAtRefusal();
    const absl::Status status = Admit();
    status.ok() ? ReadNext() : OnDenied(status);
  }
  void OnDenied(const absl::Status& status) override {
    policy_.EndWith(status);
    Advance();
  }
  void OnCancelled() override {
    policy_.Break();
    Advance();
  }
  void OnMessageDone() override { Advance(); }

  // Whether the server takes one more stream, this one.
  absl::Status Admit() {
    const size_t most = context()->stream_limits.max_streams;
    absl::Status status = quota()->TakeStream();
    in_quota_ = status.ok();
    if (in_quota_) {
      counted_ = true;
      status = AdmitStream(static_cast<size_t>(context()->metrics->streams.Add(1) - 1), most);
    }
    if (status.ok()) status = context()->memory->Take(kStreamBytes);
    if (!status.ok()) RecordRefusal(status, {LabelOf(Rpc::kMethod), "", "", this}, context()->metrics);
    if (!status.ok() || !context()->draining->load(std::memory_order_relaxed)) return status;
    return ShuttingDown();
  }

  // Starts the next read, if more may come and a place is free.
  void ReadNext() {
    if (resting_ || !policy_.CanRead()) return;
    Message* const message = policy_.BeginRead([this] {
      MessageOwner* const owner = this;
      return std::make_unique<Message>(context(), Rpc::kMethod, owner);
    });
    pace_.ReadStarted(context()->loop->turn());
    stream_.Read(message->request(), Begin(&read_));
  }
  void OnRead(bool ok) {
    Message* const message = policy_.EndRead(ok);
    if (message == nullptr) return Advance();
    if (!std::exchange(heard_terms_, true)) TakeTerms(Rpc::TermsOf(*message));
    Rpc::Start(SteadyNow(), deadline(), moved_, moved_.CheckRoom(context()->memory), message);
    if (!message->running() && IsAboveQuota(message->refusal())) Rest();
    ReadOn();  // after Rest, which may hold it up
  }
  // Also where a message was refused for something else, but its bytes are owed like those of others.
  bool IsAboveQuota(const absl::Status& refusal) {
    return !refusal.ok() && (RefusalOf(refusal).why == Why::kTenantQuota || quota()->OwesBytes(SteadyNow()));
  }
  // Reads no further message until the time at which a client should try again: what is above a tenant's quota takes
  // next to nothing from other tenants then, however fast it comes.
  void Rest() {
    if (std::exchange(resting_, true) || std::exchange(alarm_set_, true)) return;
    const gpr_timespec time = gpr_time_from_millis(kRetryWhenFullMs, GPR_TIMESPAN);
    alarm_.Set(context()->loop->queue(), gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), time), Begin(&rested_));
  }
  void OnRested(bool) {
    resting_ = alarm_set_ = false;
    ReadNext();
  }
  // Starts the next read after a message, now or behind the turn's replies.
  void ReadOn() {
    if (pace_.ReadsOnAtOnce(context()->loop->turn())) return ReadNext();
    if (read_next_posted_) return;
    read_next_posted_ = true;
    context()->loop->Post(Begin(&read_next_));
  }
  void OnReadNext(bool) {
    read_next_posted_ = false;
    ReadNext();
  }

  // Takes the policy's next step.
  void Advance() {
    if (news_.IsMuch() && policy_.CanSay()) return SayEnded();
    switch (policy_.Next()) {
      case Step::kWait:
        return SayEnded();
      case Step::kWrite:
        Rpc::NoteMoved(*policy_.oldest(), &moved_);
        stream_.Write(policy_.oldest()->response(), Begin(&written_));
        return;
      case Step::kSayGoingAway:
        return SayGoingAway();
      case Step::kFinish:
        if (ends_sessions_) ending_.Begin(moved_);
        return EndSessions();
    }
  }
  void OnWritten(bool ok) {
    policy_.Written(ok);
    ReadNext();
    Advance();
  }
  void SayGoingAway() {
    tells_ends_ = false;  // nothing follows the last word
    news_.Clear();
    typename Rpc::Response last;
    if (!Rpc::SayGoingAway(moved_, &last)) return OnSaidGoingAway(true);
    stream_.Write(last, Begin(&said_going_away_));
  }
  void OnSaidGoingAway(bool) {
    policy_.SaidGoingAway();
    Advance();
  }

  // What the stream's first message wants of the stream.
  void TakeTerms(const StreamTerms& terms) {
    ends_sessions_ = terms.end_sessions;
    tells_ends_ = terms.tell_ends;
    if (!ends_sessions_ && !tells_ends_) return;
    moved_.KeepAll([this](absl::string_view id, bool is_kept) {
      news_.Drop(id);
      if (!is_kept) return StopWatching(id);
      context()->end_watch->Watch(NameOf(id), this, context()->sessions->ended());
    });
  }
  std::string NameOf(absl::string_view id) const { return SessionName(principal().tenant->name(), id); }
  void StopWatching(absl::string_view id) { context()->end_watch->Forget(NameOf(id), this); }
  // Does so for some of the sessions that the stream has moved. True: there are more.
  bool StopWatchingSome() {
    constexpr size_t kMostATurn = 1024;
    if (!moved_.keeps_all()) return false;
    return moved_.VisitSome(&next_unwatched_, kMostATurn, [this](absl::string_view id) { StopWatching(id); });
  }

  // A session that the stream has moved has ended; unless the stream has made it anew since, that is news.
  void OnSessionEnded(absl::string_view name, const SessionEnd& end) override {
    const absl::string_view id = IdIn(name);
    if (!moved_.PositionOf(id)) return;
    const absl::StatusOr<SessionInfo> live = context()->sessions->Get(name, SteadyNow());
    if (live.ok() && moved_.IsAsLeft(id, live->position, live->serial)) return;
    moved_.Forget(id);
    if (!tells_ends_) return;
    news_.Add(id, end);
    Advance();
  }
  // Says which sessions have ended, if any have and nothing else is to be said.
  void SayEnded() {
    if (news_.empty() || !policy_.CanSay()) return;
    policy_.BeginSaying();
    typename Rpc::Response told;
    news_.TakeSome([&told](absl::string_view id, const SessionEnd& end) { Rpc::TellEnded(id, ReasonOf(end), &told); });
    stream_.Write(told, Begin(&said_ended_));
  }
  void OnSaidEnded(bool ok) {
    policy_.Said(ok);
    Advance();
  }

  // Ends the sessions of a stream whose client wanted that, then the stream. While the server goes away they live on,
  // for their client to go on with elsewhere.
  void EndSessions() {
    if (StopWatchingSome()) return context()->loop->Post(Begin(&go_on_ending_));
    if (ends_sessions_ && !context()->draining->load(std::memory_order_relaxed)) {
      switch (ending_.GoOn(principal().tenant->name(), SteadyNow())) {
        case StreamSessionsEnd::Progress::kMore:
          return context()->loop->Post(Begin(&go_on_ending_));
        case StreamSessionsEnd::Progress::kWaits:
          Begin(&go_on_ending_);
          return;
        case StreamSessionsEnd::Progress::kDone:
          break;
      }
    }
    if (alarm_set_) alarm_.Cancel();  // the call, with its place in the tenant's quota, lasts until the event comes
    stream_.Finish(ToGrpcStatus(policy_.end(), server_context()), BeginFinish());
  }
  void OnEndingGoesOn(bool) { EndSessions(); }

  grpc::ServerAsyncReaderWriter<typename Rpc::Response, typename Rpc::Request> stream_{server_context()};
  CallEvent<&StreamCall::OnRead> read_{this};
  CallEvent<&StreamCall::OnReadNext> read_next_{this};
  CallEvent<&StreamCall::OnWritten> written_{this};
  CallEvent<&StreamCall::OnRested> rested_{this};
  CallEvent<&StreamCall::OnSaidGoingAway> said_going_away_{this};
  CallEvent<&StreamCall::OnSaidEnded> said_ended_{this};
  CallEvent<&StreamCall::OnEndingGoesOn> go_on_ending_{this};

  StreamPolicy<Message> policy_;
  ReadPace pace_;
  bool read_next_posted_ = false;  // the event is in the loop's inbox
  grpc::Alarm alarm_;              // ends the rest
  bool alarm_set_ = false;
  bool resting_ = false;
  bool counted_ = false;      // in the probe's streams
  bool in_quota_ = false;     // of the tenant
  bool heard_terms_ = false;  // the first message has come
  bool ends_sessions_ = false;
  bool tells_ends_ = false;
  MovedSessions moved_;
  size_t next_unwatched_ = 0;  // of the places in moved_
  EndNews news_;
  StreamSessionsEnd ending_{context(), &go_on_ending_};
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STREAM_CALL_H_
