#include "client/load/driver.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rondo::load {
namespace {

constexpr int64_t kMilli = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;
// How often an idle driver looks whether it is to stop.
constexpr int64_t kIdlePollNanos = 50 * kMilli;
// gRPC's timers tick in milliseconds: closer than this to the next send, an open loop polls instead of sleeping.
constexpr int64_t kSpinNanos = 2 * kMilli;
constexpr int64_t kPollOnly = 0;

gpr_timespec Monotonic(int64_t nanos) {
  return {nanos / kSecond, static_cast<int32_t>(nanos % kSecond), GPR_CLOCK_MONOTONIC};
}

}  // namespace

int64_t MonotonicNanos() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Driver::Driver(Config config) : config_(std::move(config)) {
  for (const auto& channel : config_.channels) stubs_.push_back(std::make_unique<AnyStub>(channel));
  for (size_t i = 0; i < config_.lanes.size(); ++i) {
    std::unique_ptr<Lane>& lane = config_.lanes[i];
    const CallPlan plan{i, stubs_[i % stubs_.size()].get(), config_.method, lane->reply(), &queue_};
    slots_.push_back({std::move(lane), config_.unary ? MakeUnaryCall(plan) : OpenStream(plan)});
  }
}

Driver::~Driver() {
  sending_ = false;
  for (Slot& slot : slots_) {
    slot.lane->Retire();
    slot.call->Cancel();
  }
  // A cancelled call fails at once; its last operations must have started before the queue is shut down.
  while (!AllEnded()) HandleNext(MonotonicNanos() + kIdlePollNanos);
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

Measurement Driver::CreateSessions() {
  const int64_t begin = MonotonicNanos();
  round_ = {begin, begin, std::numeric_limits<int64_t>::max()};
  measurement_ = Measurement();
  schedule_.reset();
  creating_ = true;
  for (Slot& slot : slots_) Send(&slot, begin);
  while (AnyCreating() && !Stopped()) HandleNext(MonotonicNanos() + kIdlePollNanos);
  creating_ = false;
  Drain();
  measurement_.elapsed_nanos = MonotonicNanos() - begin;
  return std::exchange(measurement_, Measurement());
}

Measurement Driver::Run(const Round& round) {
  round_ = round;
  measurement_ = Measurement();
  schedule_.reset();
  if (config_.rate > 0) schedule_.emplace(config_.rate, config_.arrivals, config_.seed, round.begin_nanos);
  SendLoop(round);
  const int64_t ended_nanos = std::min(MonotonicNanos(), round.end_nanos);
  measurement_.elapsed_nanos = std::max<int64_t>(0, ended_nanos - round.measure_begin_nanos);
  if (Stopped()) {
    for (Slot& slot : slots_) slot.lane->TakeUnsent();
  }
  Drain();
  return std::exchange(measurement_, Measurement());
}

void Driver::SendLoop(const Round& round) {
  sending_ = true;
  int64_t now = MonotonicNanos();
  for (Slot& slot : slots_) Send(&slot, now);
  while (now < round.end_nanos && !Stopped()) {
    AddDueMessages(now);
    if (!HandleNext(PollDeadline(now)) && !AnyLane()) break;
    now = MonotonicNanos();
  }
  // Some messages became due while the last event was handled.
  if (!Stopped()) AddDueMessages(round.end_nanos - 1);
  sending_ = false;
}

void Driver::AddDueMessages(int64_t now_nanos) {
  if (!schedule_.has_value()) return;
  while (const std::optional<int64_t> due = schedule_->TakeDue(now_nanos)) {
    for (size_t tried = 0; tried < slots_.size(); ++tried) {
      Slot& slot = slots_[next_slot_];
      next_slot_ = (next_slot_ + 1) % slots_.size();
      if (slot.lane->retired()) continue;
      slot.lane->AddDue(*due);
      Send(&slot, now_nanos);
      break;
    }
  }
}

int64_t Driver::PollDeadline(int64_t now_nanos) const {
  int64_t wake = std::min(now_nanos + kIdlePollNanos, round_.end_nanos);
  if (schedule_.has_value()) {
    const int64_t next = schedule_->next_nanos();
    if (next - now_nanos < kSpinNanos) return kPollOnly;
    wake = std::min(wake, next - kSpinNanos / 2);
  }
  return wake;
}

void Driver::Drain() {
  const int64_t give_up = MonotonicNanos() + kDrainSeconds * kSecond;
  while (Busy()) {
    const int64_t now = MonotonicNanos();
    if (now >= give_up) return CountUnanswered();
    HandleNext(now + kIdlePollNanos);
  }
}

// A lane whose message was sent and not answered cannot go on: what the server makes of it is not known.
void Driver::CountUnanswered() {
  const int64_t now = MonotonicNanos();
  const auto count = [&](int64_t counted_from) {
    if (counted_from >= round_.measure_begin_nanos) measurement_.CountUnanswered(now - counted_from);
  };
  for (Slot& slot : slots_) {
    if (slot.lane->in_flight() > 0) {
      slot.lane->Retire();
      slot.call->Cancel();
    }
    while (slot.lane->in_flight() > 0) {
      count(slot.lane->OnFailure(grpc::StatusCode::DEADLINE_EXCEEDED, "").counted_from_nanos);
    }
    for (const int64_t scheduled : slot.lane->TakeUnsent()) count(scheduled);
  }
}

bool Driver::AnyLane() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.lane->retired(); });
}

bool Driver::AllEnded() const {
  return std::all_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.call->ended(); });
}

bool Driver::AnyCreating() const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [](const Slot& slot) { return slot.lane->creating() && !slot.lane->retired(); });
}

bool Driver::Busy() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) {
    return slot.lane->in_flight() > 0 || slot.call->writing() || (slot.lane->has_due() && !slot.lane->retired());
  });
}

// Handles the next event; false if none came by the deadline.
bool Driver::HandleNext(int64_t deadline_nanos) {
  void* tag = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&tag, &ok, Monotonic(deadline_nanos)) != grpc::CompletionQueue::GOT_EVENT) {
    // Polling must not keep a server that shares this CPU from it.
    if (deadline_nanos == kPollOnly) sched_yield();
    return false;
  }
  Handle(*static_cast<const Call::Tag*>(tag), ok, MonotonicNanos());
  return true;
}

void Driver::Handle(const Call::Tag& tag, bool ok, int64_t now_nanos) {
  Slot& slot = slots_[tag.call->lane()];
  Lane& lane = *slot.lane;
  Call& call = *slot.call;
  const int64_t steps = lane.steps_per_message();
  switch (call.OnEvent(tag.op, ok)) {
    case Call::Event::kNone:
      break;
    case Call::Event::kReply:
      if (!lane.IsGoodbye()) {  // kEnded follows it
        if (lane.in_flight() > 0) {
          Count(lane.OnReply(), steps, now_nanos);
        } else if (!lane.retired()) {
          measurement_.CountError({now_nanos, "WRONG_REPLY", "a reply came that no message asked for"});
        }
      }
      call.Resume();
      break;
    case Call::Event::kFailed:
      if (lane.in_flight() > 0) {
        Count(lane.OnFailure(call.status().error_code(), call.status().error_message()), steps, now_nanos);
      }
      break;
    case Call::Event::kEnded: {
      const int code = call.status().ok() ? grpc::StatusCode::UNAVAILABLE : call.status().error_code();
      const std::string message = absl::StrCat("the stream ended: ", call.status().error_message());
      while (lane.in_flight() > 0) Count(lane.OnFailure(code, message), steps, now_nanos);
      lane.Retire();
      break;
    }
  }
  Send(&slot, now_nanos);
}

void Driver::Count(const Outcome& outcome, int64_t steps, int64_t now_nanos) {
  const bool arrived_in_window = now_nanos >= round_.measure_begin_nanos && now_nanos < round_.end_nanos;
  const bool open_loop = schedule_.has_value();
  const bool due_in_window = outcome.counted_from_nanos >= round_.measure_begin_nanos;
  if (!outcome.error.empty()) {
    measurement_.CountError(outcome);
    return;
  }
  if (arrived_in_window) {
    ++measurement_.messages;
    measurement_.steps += steps;
  }
  if (open_loop ? due_in_window : arrived_in_window) {
    measurement_.latency.Record(now_nanos - outcome.counted_from_nanos);
  }
}

bool Driver::WantsToSend(const Lane& lane) const {
  if (creating_) return lane.creating();
  return sending_ && !schedule_.has_value();
}

void Driver::Send(Slot* slot, int64_t now_nanos) {
  const Lane& lane = *slot->lane;
  while ((WantsToSend(lane) || lane.has_due()) && lane.CanSend() && slot->call->CanWrite()) {
    slot->call->Write(slot->lane->Send(now_nanos));
  }
}

void Driver::EndSessions() {
  for (Slot& slot : slots_) {
    if (slot.lane->in_flight() > 0 || !slot.call->CanWrite()) continue;
    if (const auto* last = slot.lane->SendLast(MonotonicNanos())) slot.call->Write(*last);
  }
  Drain();
}

void Driver::Close() {
  EndSessions();
  for (Slot& slot : slots_) {
    slot.lane->Retire();
    slot.call->Close();
  }
  const int64_t give_up = MonotonicNanos() + kDrainSeconds * kSecond;
  while (!AllEnded() && MonotonicNanos() < give_up) HandleNext(MonotonicNanos() + kIdlePollNanos);
}

std::vector<std::string> Driver::SessionIds() const {
  std::vector<std::string> ids;
  for (const Slot& slot : slots_) {
    for (std::string& id : slot.lane->SessionIds()) ids.push_back(std::move(id));
  }
  return ids;
}

}  // namespace rondo::load
