#include "server/loop/serving_loop.h"

#include <utility>

#include "base/thread_name.h"
#include "model/compute_thread.h"

namespace rondo {
namespace {

// A batch must not wait without end for events that keep coming.
constexpr int kMaxEventsPerDrain = 512;

thread_local const ServingLoop* loop_of_this_thread = nullptr;

}  // namespace

ServingLoop::ServingLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, const ActiveSet::Options& options,
                         ComputeHelpers* helpers)
    : queue_(std::move(queue)), engine_(options, helpers) {}

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
  while (Drain()) engine_.RunBatch();
}

bool ServingLoop::Drain() {
  ++turn_;
  inbox_.RunAll();
  gpr_timespec deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  for (int events = 0; events < kMaxEventsPerDrain;) {
    void* tag = nullptr;
    bool ok = false;
    switch (queue_->AsyncNext(&tag, &ok, deadline)) {
      case grpc::CompletionQueue::SHUTDOWN:
        return !engine_.idle();
      case grpc::CompletionQueue::TIMEOUT:
        if (!engine_.idle() || !inbox_.empty()) return true;
        ++turn_;
        deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
        break;
      case grpc::CompletionQueue::GOT_EVENT:
        ++events;
        static_cast<Event*>(tag)->Proceed(ok);
        deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
        break;
    }
  }
  return true;
}

}  // namespace rondo
