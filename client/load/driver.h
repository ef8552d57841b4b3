#ifndef RONDO_CLIENT_LOAD_DRIVER_H_
#define RONDO_CLIENT_LOAD_DRIVER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/load/arrival_schedule.h"
#include "client/load/call.h"
#include "client/load/lane.h"
#include "client/load/load_options.h"
#include "client/load/measurement.h"
#include "grpcpp/grpcpp.h"

namespace rondo::load {

// Nanoseconds of the monotonic clock.
int64_t MonotonicNanos();

// One round, in nanoseconds of MonotonicNanos: messages are sent from `begin` to `end`, and what counts lies between
// `measure_begin` and `end`: replies by their arrival, the latencies of an open loop by their scheduled time.
struct Round {
  int64_t begin_nanos = 0;
  int64_t measure_begin_nanos = 0;
  int64_t end_nanos = 0;
};

// Drives one thread's share of the lanes against one server, through one completion queue.
//
// Threads: Run and Close by one thread at a time. Calls stay open from round to round.
class Driver {
 public:
  struct Config {
    std::vector<std::unique_ptr<Lane>> lanes;
    std::vector<std::shared_ptr<grpc::Channel>> channels;  // used in turn, at least one
    std::string method;                                    // gRPC's name of it, for all lanes
    bool unary = false;
    double rate = 0;  // messages a second of this driver; 0: closed loop
    Arrivals arrivals = Arrivals::kConstant;
    uint64_t seed = 0;
    const std::atomic<bool>* stop = nullptr;  // once true, rounds end early
  };

  explicit Driver(Config config);
  // Cancels what still runs.
  ~Driver();

  // Creates the sessions that the lanes' messages draw from (Exchange::creating), in a closed loop, and waits for the
  // replies. Measures all of it.
  Measurement CreateSessions();

  // Sends until the round's end, then waits for the replies, at most kDrainSeconds.
  Measurement Run(const Round& round);

  // Ends the sessions of protocols that do so by a message, then every stream in peace.
  void Close();

  // The ids of all sessions that may live on the server; after Close, of those that Close did not end.
  std::vector<std::string> SessionIds() const;

  static constexpr int kDrainSeconds = 5;

 private:
  struct Slot {
    std::unique_ptr<Lane> lane;
    std::unique_ptr<Call> call;
  };

  bool Stopped() const { return config_.stop->load(std::memory_order_relaxed); }
  bool AnyLane() const;
  bool AnyCreating() const;
  bool AllEnded() const;
  bool Busy() const;
  void AddDueMessages(int64_t now_nanos);
  int64_t PollDeadline(int64_t now_nanos) const;
  void SendLoop(const Round& round);
  void Drain();
  void CountUnanswered();
  bool HandleNext(int64_t deadline_nanos);
  void Handle(const Call::Tag& tag, bool ok, int64_t now_nanos);
  void Count(const Outcome& outcome, int64_t steps, int64_t now_nanos);
  // True if the lane is to send now a message that no schedule asks for: in a closed loop, or to create sessions.
  bool WantsToSend(const Lane& lane) const;
  void Send(Slot* slot, int64_t now_nanos);
  void EndSessions();

  Config config_;
  std::vector<std::unique_ptr<AnyStub>> stubs_;
  grpc::CompletionQueue queue_;
  std::vector<Slot> slots_;

  // These belong to the round that runs.
  Round round_;
  Measurement measurement_;
  std::optional<ArrivalSchedule> schedule_;
  size_t next_slot_ = 0;  // an open loop's next message goes to this slot
  bool sending_ = false;
  bool creating_ = false;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_DRIVER_H_
