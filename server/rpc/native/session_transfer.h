#ifndef RONDO_SERVER_RPC_NATIVE_SESSION_TRANSFER_H_
#define RONDO_SERVER_RPC_NATIVE_SESSION_TRANSFER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "rondo/v1/sessions.pb.h"
#include "server/rpc/call/rpc_context.h"
#include "server/serve/initial_state.h"
#include "server/session/session_lease.h"
#include "server/session/session_table.h"

namespace rondo {

void ToProto(const SessionInfo& info, v1::Session* proto);
// Fills *response if `info` is OK. Returns its status.
absl::Status Answer(const absl::StatusOr<SessionInfo>& info, v1::Session* response);

// Shows `proto` as a view that borrows it, with its elements in *elements.
InitialStateView ViewOf(const v1::InitialState& proto, std::vector<absl::string_view>* elements);

// What moves a session's state out of the server, into it, and into another session. Each fills an empty *response.

// FAILED_PRECONDITION: the state is larger than a message may be.
absl::Status ExportSession(const RpcContext& context, absl::string_view tenant, const v1::ExportSessionRequest& request,
                           SessionLease lease, v1::ExportSessionResponse* response);

// INVALID_ARGUMENT: what came is no session's state. DATA_LOSS: it is damaged. FAILED_PRECONDITION: no live model can
// go on with it.
absl::Status ImportSession(const RpcContext& context, absl::string_view tenant, const v1::ImportSessionRequest& request,
                           SessionLease no_lease, v1::Session* response);
// The id that the import will have; empty: what came is no session's state.
std::string ImportedId(const v1::ImportSessionRequest& request);

absl::Status ForkSession(const RpcContext& context, absl::string_view tenant, const v1::ForkSessionRequest& request,
                         SessionLease lease, v1::Session* response);

}  // namespace rondo

#endif  // RONDO_SERVER_RPC_NATIVE_SESSION_TRANSFER_H_
