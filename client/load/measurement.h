#ifndef RONDO_CLIENT_LOAD_MEASUREMENT_H_
#define RONDO_CLIENT_LOAD_MEASUREMENT_H_

#include <cstdint>
#include <map>
#include <string>

#include "client/load/lane.h"
#include "client/load/latency_histogram.h"

namespace rondo::load {

// The figures of one server in one or more measured windows.
struct Measurement {
  int64_t elapsed_nanos = 0;              // length of the windows
  int64_t messages = 0;                   // answered as they should be, inside a window
  int64_t steps = 0;                      // timesteps of all sequences of those messages
  LatencyHistogram latency;               // of the messages answered and, in an open loop, of those that never were
  std::map<std::string, int64_t> errors;  // messages that failed, by code
  std::string first_error;                // in words; empty: none

  void CountError(const Outcome& outcome);
  // Messages that were due in an open loop but never answered: `waited_nanos` is what their latency is at least.
  void CountUnanswered(int64_t waited_nanos);
  int64_t total_errors() const;
  double MessagesPerSecond() const { return PerSecond(messages); }
  double StepsPerSecond() const { return PerSecond(steps); }

  // Adds what another thread saw in these windows.
  void AddParallel(const Measurement& other);
  // Adds what was seen in later windows.
  void AddLater(const Measurement& other);

 private:
  double PerSecond(int64_t count) const;
};

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_MEASUREMENT_H_
