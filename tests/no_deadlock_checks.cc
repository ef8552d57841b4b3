// For every test that is a gRPC client. gRPC 1.51 looks at connect()'s errno after taking locks (grpc/grpc pull request
// 35064); Debian builds abseil with its debug checks, and the first look for deadlock cycles overwrites it: one
// connection in some hundred processes failed, as "connect: Invalid argument". The programs do the same in main().

#include "absl/synchronization/mutex.h"

namespace {

[[maybe_unused]] const bool set = [] {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return true;
}();

}  // namespace
