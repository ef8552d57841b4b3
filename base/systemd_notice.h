#ifndef RONDO_BASE_SYSTEMD_NOTICE_H_
#define RONDO_BASE_SYSTEMD_NOTICE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace rondo {

// Tells systemd how this service is, e.g. "READY=1"; see sd_notify(3). Where nobody asked to be told, which the
// environment variable NOTIFY_SOCKET says, nothing is done.
//
// INVALID_ARGUMENT: NOTIFY_SOCKET is not a socket's address. UNAVAILABLE: nobody listens there.
absl::Status NotifySystemd(absl::string_view state);

}  // namespace rondo

#endif  // RONDO_BASE_SYSTEMD_NOTICE_H_
