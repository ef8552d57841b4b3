#include "server/rpc/call/awaited_messages.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/refusal/refusal.h"

namespace rondo {

void AwaitedMessages::Add(AwaitedMessage* message, uint64_t times_read_all, absl::Time now) {
  message->times_read_all_ = times_read_all;
  message->since_ = now;
  message->place_ = messages_.size();
  messages_.push_back(message);
  if (messages_.size() > most_ && looked_at_ != times_read_all) EndSome(times_read_all, now);
}

bool AwaitedMessages::Remove(AwaitedMessage* message) {
  const size_t place = std::exchange(message->place_, AwaitedMessage::kNowhere);
  if (place == AwaitedMessage::kNowhere) return false;
  messages_[place] = messages_.back();
  messages_[place]->place_ = place;
  message->place_ = AwaitedMessage::kNowhere;
  messages_.pop_back();
  return true;
}

void AwaitedMessages::End(AwaitedMessage* message, const absl::Status& why) {
  Remove(message);
  message->GiveUp(why);
}

void AwaitedMessages::EndOverdue(uint64_t times_read_all, absl::Time now) {
  std::vector<AwaitedMessage*> overdue;
  for (AwaitedMessage* const message : messages_) {
    if (HasTaken(kPatience, *message, times_read_all, now)) overdue.push_back(message);
  }
  for (AwaitedMessage* const message : overdue) {
    End(message, Refuse(Why::kNoMessage,
                        absl::StrCat("the call's message has not come within ", absl::FormatDuration(kPatience))));
  }
  if (messages_.size() > most_) EndSome(times_read_all, now);
}

void AwaitedMessages::EndSome(uint64_t times_read_all, absl::Time now) {
  looked_at_ = times_read_all;
  absl::flat_hash_map<std::string, std::vector<AwaitedMessage*>> late;  // by holder
  for (AwaitedMessage* const message : messages_) {
    if (HasTaken(kGrace, *message, times_read_all, now)) late[message->Holder()].push_back(message);
  }
  std::vector<std::vector<AwaitedMessage*>*> holders;  // a heap: there may be thousands, on one loop's thread
  for (auto& [holder, messages] : late) {              // the oldest comes last
    absl::c_sort(messages, [](const AwaitedMessage* a, const AwaitedMessage* b) { return a->since_ > b->since_; });
    holders.push_back(&messages);
  }
  const auto fewer = [](const auto* a, const auto* b) { return a->size() < b->size(); };
  std::make_heap(holders.begin(), holders.end(), fewer);
  const size_t wanted = most_ - most_ / 4;  // so that not every call has to look
  while (messages_.size() > wanted && !holders.empty()) {
    std::pop_heap(holders.begin(), holders.end(), fewer);
    std::vector<AwaitedMessage*>& most = *holders.back();
    End(most.back(), Refuse(Why::kNoMessage, absl::StrCat("the call's message has not come, and more than ", most_,
                                                          " calls wait for theirs")));
    most.pop_back();
    most.empty() ? holders.pop_back() : std::push_heap(holders.begin(), holders.end(), fewer);
  }
}

}  // namespace rondo
