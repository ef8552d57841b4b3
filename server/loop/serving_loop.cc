#include "server/loop/serving_loop.h"

#include <utility>

#include "model/compute_thread.h"

namespace rondo {
namespace {

// A batch must not wait without end for events that keep coming.
constexpr int kMaxEventsPerDrain = 512;

}  // namespace

ServingLoop::ServingLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, const ActiveSet::Options& options,
                         ComputeHelpers* helpers)
    : queue_(std::move(queue)), engine_(options, helpers), waker_(this) {}

ServingLoop::~ServingLoop() {
  queue_->Shutdown();
  if (!thread_.joinable())
    thread_ = std::thread([this] { Run(); });  // never started: the queue is emptied all the same
  thread_.join();
}

void ServingLoop::Start() {
  thread_ = std::thread([this] { Run(); });
}

void ServingLoop::Post(Event* event) {
  // The alarm is set again only after it rang: the inbox is empty once, for each time it is looked into.
  if (inbox_.Post(event)) alarm_.Set(queue_.get(), gpr_now(GPR_CLOCK_MONOTONIC), &waker_);
}

void ServingLoop::Run() {
  PrepareComputeThread();
  while (Drain(/*wait=*/engine_.idle())) engine_.RunBatch();
}

bool ServingLoop::Drain(bool wait) {
  void* tag = nullptr;
  bool ok = false;
  gpr_timespec deadline = wait ? gpr_inf_future(GPR_CLOCK_MONOTONIC) : gpr_inf_past(GPR_CLOCK_MONOTONIC);
  for (int i = 0; i < kMaxEventsPerDrain; ++i) {
    switch (queue_->AsyncNext(&tag, &ok, deadline)) {
      case grpc::CompletionQueue::SHUTDOWN:
        return !engine_.idle();
      case grpc::CompletionQueue::TIMEOUT:
        return true;
      case grpc::CompletionQueue::GOT_EVENT:
        static_cast<Event*>(tag)->Proceed(ok);
    }
    deadline = gpr_inf_past(GPR_CLOCK_MONOTONIC);
  }
  return true;
}

}  // namespace rondo
