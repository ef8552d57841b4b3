#ifndef RONDO_SERVER_METRICS_PROCESS_STATS_H_
#define RONDO_SERVER_METRICS_PROCESS_STATS_H_

#include <cstdint>
#include <string>

namespace rondo {

// What the kernel says of this process; a number that cannot be read is 0.
struct ProcessStats {
  double cpu_seconds = 0;         // user and system
  double start_time_seconds = 0;  // unix time
  int64_t threads = 0;
  int64_t virtual_memory_bytes = 0;
  int64_t resident_memory_bytes = 0;
  int64_t open_fds = 0;
  int64_t max_fds = 0;
};

// `proc`: where procfs is mounted. Any thread.
ProcessStats ReadProcessStats(const std::string& proc = "/proc");

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_PROCESS_STATS_H_
