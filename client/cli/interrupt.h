#ifndef RONDO_CLIENT_CLI_INTERRUPT_H_
#define RONDO_CLIENT_CLI_INTERRUPT_H_

#include "absl/time/time.h"

namespace rondo {

// Ctrl-C (SIGINT) and SIGTERM as something that a reading loop sees, so that it can tidy up; the second one kills.
// Also ignores SIGPIPE, so that a closed output is an error of write(). Once, before any thread starts.
void CatchInterrupts();

bool Interrupted();

// Waits until `fd` can be read or has ended. False: interrupted.
bool WaitReadable(int fd);

// Waits so long. False: interrupted.
bool PauseFor(absl::Duration duration);

// REQUIRES: Interrupted(). Ends the process as that signal would have, so that a calling shell script ends too.
[[noreturn]] void DieOfInterrupt();

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_INTERRUPT_H_
