#ifndef RONDO_SERVER_RPC_CALL_STREAM_POLICY_H_
#define RONDO_SERVER_RPC_CALL_STREAM_POLICY_H_

#include <cstddef>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"
#include "server/rpc/call/message_ring.h"

namespace rondo {

// Tells whether a server that has `open` streams takes one more. RESOURCE_EXHAUSTED: it has `most`.
inline absl::Status AdmitStream(size_t open, size_t most) {
  if (open < most) return absl::OkStatus();
  return Refuse(Why::kStreamsFull, absl::StrCat("the server has max_streams=", most, " open"));
}

// Decides what a stream of messages does next: when it may read, which reply it writes, when it ends and with what. One
// write is under way at most. Policy only, without a lock, a thread or gRPC.
//
// `Message` is as MessageRing wants it, and has running() and refusal(), which says why the whole message was refused.
template <typename Message>
class StreamPolicy {
 public:
  enum class Step {
    kWait,          // for a message, or for the write that is under way
    kWrite,         // the reply of oldest() is to be written; Written follows
    kSayGoingAway,  // the stream's last word is to be written, if its protocol has one; SaidGoingAway follows
    kFinish,        // the stream ends with end()
  };

  // `on_drop`: hears of each message that has ended and whose reply is dropped; null: nobody wants to.
  explicit StreamPolicy(size_t places, std::function<void(const Message&)> on_drop = nullptr)
      : ring_(places), on_drop_(std::move(on_drop)) {}

  // Makes every message that is refused from now on end the stream, as its client wants it.
  void EndAtRefusal() { ends_at_refusal_ = true; }
  // Makes the stream end with `status` as soon as all that was read is answered.
  void EndWith(const absl::Status& status) {
    end_ = status;
    phase_ = Phase::kAnswering;
  }

  bool CanRead() const { return phase_ == Phase::kReading && ring_.CanRead(); }
  // Returns the message to read into, as MessageRing::BeginRead does.
  template <typename Make>
  Message* BeginRead(const Make& make) {
    return ring_.BeginRead(make);
  }
  // The read is over. `ok`: it brought a message, else the client has ended its side. Returns the message to run, or
  // null.
  Message* EndRead(bool ok) {
    if (ok && phase_ == Phase::kReading) return ring_.EndRead();
    ring_.DropRead();
    if (ok) return nullptr;
    if (phase_ == Phase::kReading) phase_ = Phase::kAnswering;
    if (phase_ == Phase::kStaying) EndWith(absl::OkStatus());  // the client has every answer
    return nullptr;
  }

  // The next step. To be asked after every event until it is kWait; a nested call, from a message that ends as it is
  // cancelled, is allowed.
  Step Next() {
    while (!writing_ && phase_ != Phase::kFinished) {
      if (ring_.empty()) return NextWhenAnswered();
      Message* const message = ring_.oldest();
      if (message->running()) return Step::kWait;
      if (phase_ == Phase::kBroken) {
        if (on_drop_ != nullptr) on_drop_(*message);
        ring_.FreeOldest();
      } else if (ends_at_refusal_ && !message->refusal().ok()) {
        end_ = message->refusal();
        Break();
      } else {
        writing_ = true;
        return Step::kWrite;
      }
    }
    return Step::kWait;
  }
  // Tells whether the stream may say something between its replies. If it does, Said follows.
  bool CanSay() const {
    const bool open = phase_ == Phase::kReading || phase_ == Phase::kAnswering || phase_ == Phase::kStaying;
    return open && !writing_;
  }
  void BeginSaying() { writing_ = true; }
  void Said(bool ok) {
    writing_ = false;
    if (!ok) Break();
  }
  Message* oldest() { return ring_.oldest(); }
  const absl::Status& end() const { return end_; }

  // The write of the oldest reply is over. Not `ok`: the client is gone.
  void Written(bool ok) {
    writing_ = false;
    ring_.FreeOldest();
    if (!ok) Break();
  }
  void SaidGoingAway() { writing_ = false; }

  // The server drains: nothing more is read, and the stream ends with `status` once it has left. One that ends by
  // itself does so.
  void Drain(const absl::Status& status) {
    if (phase_ != Phase::kReading) return;
    end_ = status;
    phase_ = Phase::kStaying;
  }
  // Takes note that what the stream did is durable.
  void Leave() {
    if (phase_ == Phase::kStaying) phase_ = Phase::kLeaving;
  }
  // The client is gone, or a refusal has ended the stream. From now on replies are dropped, and what runs for them is
  // cancelled.
  void Break() {
    if (phase_ == Phase::kFinished) return;
    phase_ = Phase::kBroken;
    ring_.CancelAll();
  }

 private:
  enum class Phase {
    kReading,    // messages come
    kAnswering,  // none comes any more: the stream ends after the reply to the last
    kStaying,    // the server drains: the stream ends when what it did is durable
    kLeaving,    // that is durable: the stream says where its sessions stand after the last reply, and ends
    kBroken,     // the stream ends, and replies are dropped
    kFinished,
  };

  Step NextWhenAnswered() {
    if (phase_ == Phase::kReading || phase_ == Phase::kStaying) return Step::kWait;
    writing_ = phase_ == Phase::kLeaving;
    phase_ = writing_ ? Phase::kAnswering : Phase::kFinished;
    return writing_ ? Step::kSayGoingAway : Step::kFinish;
  }

  MessageRing<Message> ring_;
  const std::function<void(const Message&)> on_drop_;  // may be null
  Phase phase_ = Phase::kReading;
  bool ends_at_refusal_ = false;
  bool writing_ = false;
  absl::Status end_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_STREAM_POLICY_H_
