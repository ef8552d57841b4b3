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
  uint64_t turn_ = 0;  // of the loop, when the message was asked for
  absl::Time since_;
};

// The messages that one loop has asked for and that have not come. gRPC holds what has come of each, so there is a
// bound on their number and on their time. A message that came with its headers, as clients send them, is awaited for a
// turn of the loop or two and never ends for others: only those that take longer do, first those of the client that has
// most. Policy only, without a lock, a thread, a clock or gRPC.
class AwaitedMessages {
 public:
  // For so long the rest of a message may take.
  static constexpr absl::Duration kPatience = absl::Seconds(30);
  // So long a message may take whatever else is awaited.
  static constexpr absl::Duration kGrace = absl::Milliseconds(50);

  // `most`: how many may take longer than kGrace, above 0.
  explicit AwaitedMessages(size_t most) : most_(most) {}

  // `turn`: the loop's. Others may be given up.
  void Add(AwaitedMessage* message, uint64_t turn, absl::Time now);
  // The message has come, or will not. False: it was given up before.
  bool Remove(AwaitedMessage* message);
  // Gives up those that take too long. To be called about once a second.
  void EndOverdue(uint64_t turn, absl::Time now);

  size_t size() const { return messages_.size(); }

 private:
  bool IsLate(const AwaitedMessage& message, uint64_t turn, absl::Time now) const {
    return message.turn_ + 1 < turn && now - message.since_ >= kGrace;
  }
  // Gives up late ones until there are few again.
  void EndSome(uint64_t turn, absl::Time now);
  void End(AwaitedMessage* message, const absl::Status& why);

  const size_t most_;
  std::vector<AwaitedMessage*> messages_;  // in no order
  uint64_t looked_in_turn_ = 0;
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_AWAITED_MESSAGES_H_
