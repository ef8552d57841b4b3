#ifndef RONDO_CLIENT_UNANSWERED_MESSAGES_H_
#define RONDO_CLIENT_UNANSWERED_MESSAGES_H_

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "rondo/v1/inference.pb.h"

namespace rondo {

struct SentMessage {
  v1::PredictRequest request;
  bool repeatable = true;  // a second run changes nothing
};

// The messages of a PredictStream that were written and not answered, and how many of them were sent on the gRPC stream
// that is open now. Policy: no lock and no gRPC.
//
// Threads: one at a time.
class UnansweredMessages {
 public:
  // Whether the writer sends what it writes. Otherwise the reader sends first what the open stream was not sent yet.
  bool caught_up() const { return !broken_ && sent_ == messages_.size(); }

  // Adds the newest message, which its writer sends if caught_up().
  void Add(std::shared_ptr<const SentMessage> message) {
    if (caught_up()) ++sent_;
    messages_.push_back(std::move(message));
  }
  // The reader's: the oldest message, if the reader is to send it now, which it does while no reply is to come before
  // that one's; else null. NoteSent says that it was sent.
  std::shared_ptr<const SentMessage> NextToSend() const {
    return sent_ > 0 || messages_.empty() ? nullptr : messages_.front();
  }
  void NoteSent() { sent_ = 1; }
  // A reply has come, to the oldest message. Nothing happens if none was sent: the server answers more than it was
  // asked.
  void NoteAnswered() {
    if (sent_ == 0) return;
    messages_.pop_front();
    --sent_;
  }

  // The writer cannot send any more on the open stream.
  void NoteBroken() { broken_ = true; }
  // Another stream is open, and nothing was sent on it.
  void BeginAnew() {
    sent_ = 0;
    broken_ = false;
  }

  // Tells whether all of them may be sent again.
  bool repeatable() const {
    return std::all_of(messages_.begin(), messages_.end(), [](const auto& message) { return message->repeatable; });
  }
  size_t size() const { return messages_.size(); }
  bool empty() const { return messages_.empty(); }

 private:
  std::deque<std::shared_ptr<const SentMessage>> messages_;  // oldest first
  size_t sent_ = 0;                                          // how many of them, the oldest ones
  bool broken_ = false;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_UNANSWERED_MESSAGES_H_
