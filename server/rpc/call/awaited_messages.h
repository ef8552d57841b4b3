#ifndef RONDO_SERVER_RPC_CALL_AWAITED_MESSAGES_H_
#define RONDO_SERVER_RPC_CALL_AWAITED_MESSAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rondo {

// A call that may be made, and whose message has not come, or not all of it.
class AwaitedMessage {
 public:
  virtual ~AwaitedMessage() = default;

  // Whose call it is: what one client sends counts together.
  virtual std::string Holder() const = 0;
  // The call ends with `why`. It is awaited no more.
  virtual void GiveUp(const absl::Status& why) = 0;

 private:
  friend class AwaitedMessages;
  static constexpr size_t kNowhere = SIZE_MAX;
  size_t place_ = kNowhere;
  uint64_t times_read_all_ = 0;  // of the loop, when the message was asked for
  absl::Time since_;
};

// The messages that one loop has asked for and that have not come. gRPC holds what has come of each, so there is a
// bound on their number and on their time. A message that came with its headers, as clients send them, never ends for
// others, however long the loop takes to get to it: only those do that have not come when the loop has read all that
// had, first those of the client that has most. Policy only, without a lock, a thread, a clock or gRPC.
class AwaitedMessages {
 public:
  // For so long the rest of a message may take.
  static constexpr absl::Duration kPatience = absl::Seconds(30);
  // So long a message may take whatever else is awaited.
  static constexpr absl::Duration kGrace = absl::Milliseconds(50);

  // `most`: how many may take longer than kGrace, above 0.
  explicit AwaitedMessages(size_t most) : most_(most) {}

  // `times_read_all`: the loop's. Others may be given up.
  void Add(AwaitedMessage* message, uint64_t times_read_all, absl::Time now);
  // The message has come, or will not. False: it was given up before.
  bool Remove(AwaitedMessage* message);
  // Gives up those that take too long. To be called about once a second.
  void EndOverdue(uint64_t times_read_all, absl::Time now);

  size_t size() const { return messages_.size(); }

 private:
  // Tells whether a message has not come within `time`, though the loop has read all that had come, and once more: gRPC
  // looks at the sockets only when its queue is empty.
  static bool HasTaken(absl::Duration time, const AwaitedMessage& message, uint64_t times_read_all, absl::Time now) {
    return times_read_all - message.times_read_all_ >= 2 && now - message.since_ >= time;
  }
  // Gives up late ones until there are few again.
  void EndSome(uint64_t times_read_all, absl::Time now);
  void End(AwaitedMessage* message, const absl::Status& why);

  const size_t most_;
  std::vector<AwaitedMessage*> messages_;  // in no order
  uint64_t looked_at_ = 0;                 // the loop's times_read_all, when late ones were last looked for
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_AWAITED_MESSAGES_H_
