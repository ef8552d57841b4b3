#ifndef RONDO_CLIENT_CLI_INTERRUPT_H_
#define RONDO_CLIENT_CLI_INTERRUPT_H_

#include "absl/time/time.h"

namespace rondo {

// Makes Ctrl-C (SIGINT) and SIGTERM something that a reading loop sees, so that it can tidy up; a second signal kills.
// SIGPIPE is ignored from here on, so that a closed output is an error of write(). Call it once, before any thread
// starts.
void CatchInterrupts();

bool Interrupted();

// Waits until `fd` can be read or has ended, or until `end`. Returns false if a signal came before.
bool WaitReadable(int fd, absl::Time end = absl::InfiniteFuture());

// Waits for `duration`. Returns false if a signal came before its end.
bool PauseFor(absl::Duration duration);

// Ends the process as the signal that came would have, so that a calling shell script ends too. REQUIRES:
// Interrupted().
[[noreturn]] void DieOfInterrupt();

}  // namespace rondo

#endif  // RONDO_CLIENT_CLI_INTERRUPT_H_
