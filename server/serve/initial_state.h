#ifndef RONDO_SERVER_SERVE_INITIAL_STATE_H_
#define RONDO_SERVER_SERVE_INITIAL_STATE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/registry/model_registry.h"
#include "server/session/session_lease.h"

namespace rondo {

// Where something begins instead of where its model does: with the state that something of another model left. It
// borrows what it points to.
struct InitialStateView {
  absl::string_view session_id;                  // whose state it is; empty: `exported`
  absl::string_view exported;                    // a session as bytes, see server/store; empty: that of a session
  absl::Span<const absl::string_view> elements;  // that are taken over; empty: all of both models
};

// INVALID_ARGUMENT: neither a session nor bytes are given, or both.
absl::Status CheckInitialState(const InitialStateView& view);

// Where something of `to` begins with `view`: [state_size]. `session`: the lease on the view's session; empty: the
// state is that of its bytes. REQUIRES: CheckInitialState is OK. INVALID_ARGUMENT: an element is named twice, or more
// are named than the model has. FAILED_PRECONDITION: the models' elements do not fit each other (see TransferState), or
// the bytes are of a model that is not here. NOT_FOUND: there is no model of that name. DATA_LOSS: the bytes are not a
// session. Throws std::bad_alloc.
absl::StatusOr<std::vector<float>> InitialStateOf(const InitialStateView& view, SessionLease* session,
                                                  const ModelRegistry& registry, const Model& to);

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_INITIAL_STATE_H_
