#include "base/runnable_time.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace rondo {

RunnableTime::RunnableTime() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}

RunnableTime::~RunnableTime() {
  if (file_ >= 0) close(file_);
}

absl::Duration RunnableTime::Read() const {
  std::array<char, 96> bytes;
  const ssize_t size = file_ < 0 ? -1 : pread(file_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return absl::ZeroDuration();
  // Nanoseconds on a CPU, nanoseconds of waiting for one, times on one; see Documentation/scheduler/sched-stats.
  absl::string_view rest(bytes.data(), static_cast<size_t>(size));
  uint64_t sum = 0;
  for (int field = 0; field < 2; ++field) {
    const size_t end = rest.find(' ');
    uint64_t nanoseconds = 0;
    if (end == absl::string_view::npos || !absl::SimpleAtoi(rest.substr(0, end), &nanoseconds)) {
      return absl::ZeroDuration();
    }
    sum += nanoseconds;
    rest.remove_prefix(end + 1);
  }
  return absl::Nanoseconds(sum);
}

}  // namespace rondo
