#include "client/cli/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "absl/time/clock.h"

namespace rondo {
namespace {

volatile std::sig_atomic_t caught_signal = 0;
// The handler writes a byte here: unlike a flag, poll() cannot miss it between a check and the wait.
int wake_pipe[2] = {-1, -1};

void OnSignal(int signal) {
  const int saved_errno = errno;
  caught_signal = signal;
  const char byte = 0;
  (void)!write(wake_pipe[1], &byte, 1);
  errno = saved_errno;
}

}  // namespace

void CatchInterrupts() {
  std::signal(SIGPIPE, SIG_IGN);
  if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return;  // then a signal kills, as without this
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Interrupted() { return caught_signal != 0; }

bool WaitReadable(int fd, absl::Time end) {
  pollfd fds[] = {{fd, POLLIN, 0}, {wake_pipe[0], POLLIN, 0}};
  while (!Interrupted()) {
    const absl::Duration left = absl::Ceil(end - absl::Now(), absl::Milliseconds(1));
    if (left <= absl::ZeroDuration()) return true;
    const auto timeout = end == absl::InfiniteFuture() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(left));
    if (poll(fds, 2, timeout) < 0 && errno != EINTR) return true;  // read() will say what is wrong
    if (fds[0].revents != 0) return true;
  }
  return false;
}

bool PauseFor(absl::Duration duration) { return WaitReadable(-1, absl::Now() + duration); }

void DieOfInterrupt() {
  std::signal(caught_signal, SIG_DFL);
  std::raise(caught_signal);
  std::_Exit(1);
}

}  // namespace rondo
