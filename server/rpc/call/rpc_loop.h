#ifndef RONDO_SERVER_RPC_CALL_RPC_LOOP_H_
#define RONDO_SERVER_RPC_CALL_RPC_LOOP_H_

#include <grpcpp/server_builder.h>

#include <atomic>
#include <memory>
#include <utility>

#include "base/steady_time.h"
#include "server/loop/compute_helpers.h"
#include "server/loop/serving_loop.h"
#include "server/rpc/call/call.h"
#include "server/rpc/call/rpc_context.h"

namespace rondo {

// One loop and what its calls need.
struct RpcLoop {
  // `rest`: what its calls have at hand besides the loop.
  RpcLoop(std::unique_ptr<grpc::ServerCompletionQueue> queue, const ActiveSet::Options& options,
          ComputeHelpers* helpers, ServingLoopProbe* probe, LoopsProbe* loops, const RpcContext& rest)
      : awaited(rest.max_awaited_messages), context(rest), loop(std::move(queue), options, helpers, probe, loops) {
    context.poster = context.loop = &loop;
    context.clock = &loop.clock();
    context.engine = &loop.engine();
    context.calls = &calls;
    context.end_watch = &end_watch;
    context.awaited = &awaited;
  }

  // Tells every call.
  class Notice : public Event {
   public:
    Notice(CallList* calls, void (Call::*what)()) : calls_(calls), what_(what) {}
    // False: the notice is on its way already.
    bool Claim() { return !under_way_.exchange(true); }
    void Proceed(bool) override {
      under_way_ = false;
      calls_->TellAll(what_);
      told_ = true;
    }
    bool told() const { return told_; }

   private:
    CallList* const calls_;
    void (Call::*const what_)();
    std::atomic<bool> under_way_{false};
    std::atomic<bool> told_{false};
  };

  // Comes about once a second: tells the streams that want to know which sessions have ended, and ends the calls whose
  // message does not come.
  class Tick : public Event {
   public:
    explicit Tick(RpcLoop* loop) : loop_(loop) {}
    // False: the notice is on its way already.
    bool Claim() { return !under_way_.exchange(true); }
    void Proceed(bool) override {
      under_way_ = false;
      loop_->end_watch.Look(loop_->context.sessions->ended());
      loop_->awaited.EndOverdue(loop_->loop.times_read_all(), SteadyNow());
    }

   private:
    RpcLoop* const loop_;
    std::atomic<bool> under_way_{false};
  };

  EndWatch end_watch;  // these two before the calls, which take themselves out
  AwaitedMessages awaited;
  CallList calls;
  RpcContext context;
  Tick tick{this};
  Notice health{&calls, &Call::HealthMayHaveChanged};
  Notice drain{&calls, &Call::Drain};
  Notice leave{&calls, &Call::Leave};
  ServingLoop loop;  // last: its thread uses everything above
};

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_CALL_RPC_LOOP_H_
