#ifndef RONDO_BASE_RUNNABLE_TIME_H_
#define RONDO_BASE_RUNNABLE_TIME_H_

#include "absl/time/time.h"

namespace rondo {

// Reads for how long a thread has been runnable: for how long it ran, or waited for a CPU that others had or that a
// quota withheld. It takes about a microsecond and no lock.
//
// Threads: Read from one at a time.
class RunnableTime {
 public:
  // Makes one that reads the time of the thread that makes it.
  RunnableTime();
  ~RunnableTime();
  RunnableTime(const RunnableTime&) = delete;
  RunnableTime& operator=(const RunnableTime&) = delete;

  // Returns the time since the thread began; zero if the kernel does not say.
  absl::Duration Read() const;

 private:
  const int file_;
};

}  // namespace rondo

#endif  // RONDO_BASE_RUNNABLE_TIME_H_
