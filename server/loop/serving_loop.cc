#include "server/loop/serving_loop.h"

#include <algorithm>
#include <utility>

#include "base/runnable_time.h"
#include "base/steady_time.h"
#include "base/thread_name.h"
#include "model/compute_thread.h"

namespace rondo {
namespace {

// A batch must not wait without end for events that keep coming.
constexpr int kMaxEventsPerDrain = 512;

// A thread that waits no longer than this for an event was not kept from a CPU for long.
constexpr absl::Duration kLongWait = absl::Milliseconds(1);

thread_local const ServingLoop* loop_of_this_thread = nullptr;

}  // namespace

ServingLoop::ServingLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, const ActiveSet::Options& options,
                         ComputeHelpers* helpers, ServingLoopProbe* probe, LoopsProbe* loops)
    : queue_(std::move(queue)), engine_(options, helpers), probe_(probe), clock_(probe, loops, SteadyNow()) {}

ServingLoop::~ServingLoop() {
  queue_->Shutdown();
  if (!thread_.joinable())
    thread_ = std::thread([this] { Run(); });  // never started: the queue must be emptied even so
  thread_.join();
}

void ServingLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ServingLoop::Post(Event* event) {
  const bool was_empty = inbox_.Post(event);
  // A loop looks into its inbox before it waits, so its own posts need no alarm.
  // The alarm is due in the past: one that is due now would be rounded up to gRPC's next millisecond.
  if (was_empty && loop_of_this_thread != this && waker_.Claim()) {
    alarm_.Set(queue_.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), &waker_);
  }
}

void ServingLoop::Run() {
  NameThisThread("rondo-loop");
  PrepareComputeThread();
  loop_of_this_thread = this;
  while (Drain()) engine_.RunTurn();
}

bool ServingLoop::Drain() {
  ++turn_;
  inbox_.RunAll();
  bool has_polled = false;
  bool woke_for_one = false;  // the loop has waited, and one event has come since
  for (int events = 0; events < kMaxEventsPerDrain; ++events) {
    void* tag = nullptr;
    bool ok = false;
    switch (queue_->AsyncNext(&tag, &ok, gpr_inf_past(GPR_CLOCK_MONOTONIC))) {
      case grpc::CompletionQueue::SHUTDOWN:
        return !engine_.idle();
      case grpc::CompletionQueue::TIMEOUT:
        ++times_read_all_;
        clock_.ReadAll(SteadyNow());
        ShowSequences();
        if (engine_.idle() && inbox_.empty()) {
          if (!AwaitEvent()) return false;
          woke_for_one = true;
        } else if (woke_for_one || std::exchange(has_polled, true)) {
          return true;
        }
        // Else once more. A queue that something has completed on since it was last empty does not poll the sockets
        // (the event set was "kicked"): a busy loop would look at them only between two bursts of work. One that woke
        // for a lone message has looked just now: a stream of single messages then takes two looks each, not three.
        break;
      case grpc::CompletionQueue::GOT_EVENT:
        woke_for_one = false;
        static_cast<Event*>(tag)->Proceed(ok);
        break;
    }
  }
  clock_.EndTurn(SteadyNow());
  ShowSequences();
  return true;
}

bool ServingLoop::AwaitEvent() {
  ++turn_;
  static thread_local const RunnableTime runnable;  // of the loop's thread
  void* tag = nullptr;
  bool ok = false;
  const absl::Time start = SteadyNow();
  const absl::Duration runnable_before = runnable.Read();
  if (!queue_->Next(&tag, &ok)) return false;
  // What the thread waited for may have come long before a CPU was free for it.
  const absl::Time now = SteadyNow();
  const bool was_long = now - start > kLongWait;
  clock_.Wake(was_long ? std::max(start, now - (runnable.Read() - runnable_before)) : now);
  static_cast<Event*>(tag)->Proceed(ok);
  return true;
}

void ServingLoop::ShowSequences() {
  const ActiveSet& set = engine_.active_set();
  probe_->active.Set(static_cast<int64_t>(set.size() - set.waiting()));
  probe_->queued.Set(static_cast<int64_t>(set.waiting()));
}

}  // namespace rondo
