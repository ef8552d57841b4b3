#include "client/examples/control_loop/loops.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>

namespace rondo::control_loop {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto kPeriod =
    std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(kStep));

// The failure of a message, or of its only sequence.
absl::Status StatusOf(const StreamReply& reply) {
  if (!reply.status.ok()) return reply.status;
  const bool has_one = reply.sequences.size() == 1;
  if (has_one && !reply.sequences[0].status.ok()) return reply.sequences[0].status;
  if (has_one && reply.sequences[0].values.size() == 1) return absl::OkStatus();
  return absl::InternalError("the server did not answer with one force");
}

}  // namespace

Loops::Loops(PredictStream stream, int carts, int steps)
    : stream_(std::move(stream)), questions_(static_cast<size_t>(carts) * static_cast<size_t>(steps)) {
  for (int i = 0; i < carts; ++i) carts_.emplace_back(static_cast<unsigned>(i));
  asked_.resize(carts_.size());
}

Outcome Loops::Run() {
  begin_ = Clock::now() + kPeriod;
  std::thread asking([this] { AskAll(); });
  for (size_t question = 0; question < questions_ && TakeAnswer(question); ++question) {
  }
  asking.join();
  const absl::Status end = stream_.Finish();
  if (!end.ok()) outcome_.status = end;
  return std::move(outcome_);
}

Loops::Clock::time_point Loops::DueAt(size_t question) const {
  return begin_ + kPeriod * static_cast<int64_t>(question) / static_cast<int64_t>(carts_.size());
}

void Loops::AskAll() {
  SequenceInput seen;
  for (size_t question = 0; question < questions_; ++question) {
    std::this_thread::sleep_until(DueAt(question));
    if (!AwaitPush(question)) return;
    const size_t cart = question % carts_.size();
    seen.session_id = "cart-" + std::to_string(cart);
    seen.position = static_cast<int64_t>(question / carts_.size());
    seen.values = {static_cast<float>(carts_[cart].position()), static_cast<float>(carts_[cart].angle())};
    if (!stream_.Write({&seen, 1})) return;  // the reader hears why
  }
}

bool Loops::AwaitPush(size_t question) {
  std::unique_lock<std::mutex> lock(mutex_);
  moved_on_.wait(lock, [&] { return ended_ || question < answers_ + carts_.size(); });
  asked_[question % carts_.size()] = Clock::now();
  return !ended_;
}

bool Loops::TakeAnswer(size_t question) {
  StreamReply reply;
  const bool came = stream_.Read(&reply);
  const Clock::time_point now = Clock::now();
  const absl::Status status = came ? StatusOf(reply) : absl::OkStatus();  // Finish says why none came
  const std::lock_guard<std::mutex> lock(mutex_);
  if (came && status.ok()) Push(question, reply.sequences[0].values[0], now);
  ++answers_;
  ended_ = !came || !status.ok();
  if (ended_) outcome_.status = status;
  moved_on_.notify_one();
  return !ended_;
}

void Loops::Push(size_t question, double force, Clock::time_point now) {
  const size_t index = question % carts_.size();
  CartPole& cart = carts_[index];
  outcome_.milliseconds.push_back(Milliseconds(now - asked_[index]).count());
  outcome_.late += now > DueAt(question) + kPeriod;
  cart.Push(force);
  outcome_.angles += std::abs(cart.angle());
  if (!cart.HasFallen()) return;
  ++outcome_.falls;
  cart.Start();
}

}  // namespace rondo::control_loop
